import * as z from "zod";

/**
 * Which fault does the next request get? Set by `POST /_dev/faults` for each replica, applied to requests of the named paths
 * until its `times` are used up. Tokens are counted per choice: `after: 3` means that three were delivered.
 */
const times = z.int().min(1).nullish();
const after = z.int().min(0).default(0);
const delay = z.number().min(0);
/** Paths that it applies to; generation, embeddings and reranking unless named. */
const paths = z.array(z.string().startsWith("/")).min(1).nullish();
const common = { times, paths };

export const faultSchema = z.discriminatedUnion("fault", [
  /** The connection is reset before the request is read. */
  z.strictObject({ fault: z.literal("refuse"), ...common }),
  /** The request is read, then the connection is reset without an answer. */
  z.strictObject({ fault: z.literal("cut_before_headers"), ...common }),
  z.strictObject({
    fault: z.literal("status"),
    status: z.int().min(200).max(599).default(500),
    /** Seconds, as the header has them. */
    retry_after: z.union([z.int().min(0), z.string()]).nullish(),
    body: z.string().nullish(),
    content_type: z.string().nullish(),
    ...common,
  }),
  /** The headers come late. */
  z.strictObject({ fault: z.literal("slow_headers"), delay_ms: delay.default(1000), ...common }),
  /** Headers, then nothing; for ever unless `delay_ms` ends it. */
  z.strictObject({ fault: z.literal("stall_before_first"), delay_ms: delay.nullish(), ...common }),
  z.strictObject({ fault: z.literal("stall_after"), after, delay_ms: delay.nullish(), ...common }),
  /** The connection ends in mid-stream; `reset` sends RST and may lose what was under way. */
  z.strictObject({ fault: z.literal("cut_after"), after, reset: z.boolean().default(false), ...common }),
  /** A chunk that is not JSON, then the stream continues normally. */
  z.strictObject({ fault: z.literal("broken_chunk"), after, ...common }),
  /** vLLM's error under HTTP 200; with `done`, as vLLM does, `[DONE]` follows. */
  z.strictObject({
    fault: z.literal("error_event"),
    after,
    status: z.int().default(500),
    message: z
      .string()
      .default("EngineCore encountered an issue. See stack trace (above) for the root cause."),
    done: z.boolean().default(true),
    ...common,
  }),
  /** A clean end of the body without finish reason and without `[DONE]`. */
  z.strictObject({ fault: z.literal("end_early"), after, ...common }),
  /** A number of bytes at a time, at an interval in milliseconds. */
  z.strictObject({
    fault: z.literal("drip"),
    bytes: z.int().min(1).default(1),
    interval_ms: z.number().min(0).default(5),
    ...common,
  }),
]);
export type Fault = z.infer<typeof faultSchema>;
/** The input form, where defaults may be omitted. */
export type FaultInput = z.input<typeof faultSchema>;

const servingPaths: readonly string[] = [
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/rerank",
  "/rerank",
];

export class FaultBoard {
  #faults: { readonly fault: Fault; left: number }[] = [];

  /** Several may be set: each request takes the first that applies. */
  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? Infinity });
  }

  clear(): void {
    this.#faults = [];
  }

  list(): readonly Fault[] {
    return this.#faults.map(({ fault }) => fault);
  }

  take(path: string): Fault | undefined {
    if (this.#faults.length === 0) return undefined;
    const entry = this.#faults.find(({ fault }) => (fault.paths ?? servingPaths).includes(path));
    if (entry === undefined) return undefined;
    entry.left--;
    if (entry.left <= 0) this.#faults = this.#faults.filter((other) => other !== entry);
    return entry.fault;
  }
}
