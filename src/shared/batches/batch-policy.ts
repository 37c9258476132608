/** May a tenant's users run batches of requests, and how many? The tenant's block `batches` (docs/configuration.md). */
import * as z from "zod";

export const batchPolicySchema = z.lazy(() =>
  z.strictObject({
    mode: z.enum(["on", "off"]).default("on"),
    /** Requests of one batch. */
    max_lines: z.int().min(1).max(100_000).default(50_000),
    /** Batches of one user that have not ended. */
    max_open: z.int().min(1).max(1000).default(20),
    /** Batches of all users together that have not ended. */
    max_open_total: z.int().min(1).max(100_000).default(1_000),
    /** And their requests. */
    max_lines_total: z.int().min(1).max(100_000_000).default(2_000_000),
    /** Requests of one batch that are under way at once. */
    max_in_flight: z.int().min(1).max(256).default(32),
  }),
);
