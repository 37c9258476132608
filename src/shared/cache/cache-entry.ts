import * as z from "zod";
import type { CachedAnswer } from "./ports.ts";

/**
 * How is an answer written into a tier, and is what comes back still one? A tier outlives deployments and is shared by several versions of
 * the code, so every entry is checked when it is read. An entry holds the answer, never the prompt.
 */
const entrySchema = z.lazy(() => {
  const count = z.int().min(0);
  return z.object({
    v: z.literal(1),
    /** When it ends, in milliseconds since 1970: the tiers' own clocks only clean up. */
    expiresMs: count,
    /** Already in the far tier too. */
    promoted: z.boolean(),
    answer: z.object({
      model: z.string(),
      createdMs: count,
      choices: z
        .array(
          z.object({
            content: z.string().nullable(),
            reasoning: z.string().nullable(),
            toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })),
            finishReason: z.string(),
          }),
        )
        .min(1),
      usage: z.object({
        promptTokens: count,
        completionTokens: count,
        cachedTokens: count,
        reasoningTokens: count,
      }),
    }),
  });
});

export interface CacheEntry {
  readonly expiresMs: number;
  readonly promoted: boolean;
  readonly answer: CachedAnswer;
}

export function encodeEntry(entry: CacheEntry): string {
  return JSON.stringify({ v: 1, ...entry });
}

/** Null: not an entry that this version can read. */
export function decodeEntry(text: string): CacheEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut off or foreign: the caller counts it.
    return null;
  }
  const parsed = entrySchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}
