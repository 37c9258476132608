/**
 * Is there harm in an answer while it streams? Judged block by block (text-blocks.ts), so that the verdict does not depend on how the stream
 * was cut. Under `block` each block is held back until it is judged, at most 320 characters; under `flag` nothing is held back.
 *
 * When a block is refused, the reader has seen the blocks before it, none of which was harmful by itself or together with its predecessor.
 */
import type { Category } from "./categories.ts";
import { BlockClassifier } from "./classify.ts";
import { flaggedBy, type ModerationPolicy } from "./moderation-policy.ts";
import { blockEnd } from "./text-blocks.ts";

/** `null`: blocked, no more text may be sent. */
type Released = string | null;

export class AnswerModeration {
  readonly #policy: ModerationPolicy;
  readonly #isJson: boolean;
  readonly #onFound: (categories: readonly Category[]) => void;
  readonly #classifier = new BlockClassifier();
  #block = "";

  /** @param isJson escapes are judged by their meaning; where a block ends depends on the written text */
  constructor(policy: ModerationPolicy, isJson: boolean, onFound: (categories: readonly Category[]) => void) {
    this.#policy = policy;
    this.#isJson = isJson;
    this.#onFound = onFound;
  }

  /** Characters held back. */
  get held(): number {
    return this.#policy.output === "block" ? this.#block.length : 0;
  }

  push(text: string): Released {
    const before = this.#block.length;
    this.#block += text;
    const released = this.#judge(before, false);
    if (released === null) return null;
    return this.#policy.output === "block" ? released : text;
  }

  flush(): Released {
    const released = this.#judge(0, true);
    if (released === null) return null;
    return this.#policy.output === "block" ? released : "";
  }

  /** Judges every complete block. */
  #judge(from: number, final: boolean): Released {
    let released = "";
    let scanned = from;
    while (this.#block !== "") {
      const end = blockEnd(this.#block, final, scanned);
      if (end < 0) break;
      const block = this.#block.slice(0, end);
      this.#block = this.#block.slice(end);
      scanned = 0;
      const found = flaggedBy(this.#classifier.next(this.#isJson ? unescaped(block) : block), this.#policy);
      if (found.length > 0) {
        this.#onFound(found);
        if (this.#policy.output === "block") {
          this.#block = "";
          return null;
        }
      }
      released += block;
    }
    return released;
  }
}

const escapes = /\\(?:u([0-9a-fA-F]{4})|(.))/g;

/** Near enough for a classifier: a block may begin or end within an escape. */
function unescaped(json: string): string {
  return json.includes("\\")
    ? json.replace(escapes, (_, code: string | undefined, letter: string | undefined) =>
        code === undefined
          ? letter === "n" || letter === "t" || letter === "r"
            ? " "
            : (letter ?? "")
          : String.fromCharCode(Number.parseInt(code, 16)),
      )
    : json;
}
