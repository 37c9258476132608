import * as z from "zod";

export const tierSchema = z.enum(["free", "pro", "enterprise"]);
/** A tenant's price class for one of its users; chooses the row of limits. */
export type Tier = z.infer<typeof tierSchema>;
