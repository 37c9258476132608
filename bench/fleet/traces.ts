/**
 * What do real users ask, and when? Reads the published traces beside the checkout (../shared/data/traces) into requests of a
 * simulation. None of it is in the repository: where it is missing, that is said and nothing is simulated on it.
 */
import { existsSync, readFileSync } from "node:fs";
import { seededRandom } from "./random.ts";

export interface SimulatedRequest {
  readonly atMs: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Ids of the prompt's whole 16-token blocks: equal ids mean an equal beginning up to there. */
  readonly blocks: Int32Array;
  /** The prompt's beginning as the router hashes it: depths in tokens and what stands there. */
  readonly marks: readonly { readonly tokens: number; readonly id: number }[];
  readonly conversationAt: number;
  /** Client region, 0 or 1. */
  readonly region: number;
}

export interface Workload {
  readonly name: string;
  readonly requests: readonly SimulatedRequest[];
  /** All ids of blocks are below. */
  readonly blockIds: number;
}

export const blockTokens = 16;
/** A Mooncake hash stands for so many tokens. */
const groupTokens = 512;
const blocksPerGroup = groupTokens / blockTokens;
/** Depths of the router's keys (src/shared/routing/choice/affinity.ts), in tokens. */
export const markTokens: readonly number[] = [1024, 4096, 16_384];

/** `EDGEWISE_DATA` or the folder beside the checkout; null where the traces are not there. */
export function tracesFolder(): string | null {
  const folder = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/traces`;
  return existsSync(`${folder}/mooncake_synthetic_first_1500.jsonl`) ? folder : null;
}

/** Mooncake's trace as it is: long documents, some asked about again. Which requests are later turns of a chat is not in it. */
export function mooncake(folder: string): Workload {
  const text = readFileSync(`${folder}/mooncake_synthetic_first_1500.jsonl`, "utf8");
  const random = seededRandom(1);
  const regions = new Map<number, number>();
  const requests = text
    .trim()
    .split("\n")
    .map((line): SimulatedRequest => {
      const row = JSON.parse(line) as {
        timestamp: number;
        input_length: number;
        output_length: number;
        hash_ids: number[];
      };
      const first = row.hash_ids[0] ?? 0;
      const region = regions.get(first) ?? Math.floor(random() * 2);
      regions.set(first, region);
      const whole = Math.floor(row.input_length / blockTokens);
      const blocks = Int32Array.from(
        { length: whole },
        (_, at) =>
          (row.hash_ids[Math.floor(at / blocksPerGroup)] ?? 0) * blocksPerGroup + (at % blocksPerGroup),
      );
      const marks = markTokens
        .filter((tokens) => tokens <= row.input_length)
        .map((tokens) => ({ tokens, id: row.hash_ids[Math.ceil(tokens / groupTokens) - 1] ?? 0 }));
      // The whole prompt: without roles, no turn of a chat can be told from a first one.
      marks.push({ tokens: row.input_length, id: row.hash_ids.at(-1) ?? 0 });
      return {
        atMs: row.timestamp,
        promptTokens: row.input_length,
        answerTokens: row.output_length,
        blocks,
        marks,
        conversationAt: marks.length - 1,
        region,
      };
    });
  return { name: "mooncake", requests, blockIds: countIds(requests) };
}

export function countIds(requests: readonly SimulatedRequest[]): number {
  let most = 0;
  for (const { blocks } of requests) for (const block of blocks) most = Math.max(most, block);
  return most + 1;
}
