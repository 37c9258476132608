/** Ours, in chats, responses and searches: what did a search of files do without? */
import * as z from "zod";

export const lackingParts = z.lazy(() =>
  z.array(z.enum(["vectors", "rerank"])).meta({
    description:
      "Ours: what a search did without. `vectors`: more may be near to the question. `rerank`: nothing ranked anew what was found. Absent: nothing.",
  }),
);
