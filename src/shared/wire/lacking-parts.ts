/** Our own field in chats, responses and searches: which parts of a search were left out, because they failed or were too slow? */
import * as z from "zod";

export const lackingParts = z.lazy(() =>
  z.array(z.enum(["vectors", "rerank"])).meta({
    description:
      "Ours: what a search did without. `vectors`: more may be near to the question. `rerank`: nothing ranked anew what was found. Absent: nothing.",
  }),
);
