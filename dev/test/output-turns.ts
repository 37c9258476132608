/**
 * Prints concurrent jobs one after the other, in the order in which they began: the first at once, the output of each other job
 * as soon as all jobs before it have ended.
 */
export type OutputStream = "stdout" | "stderr";

export interface JobOutput {
  write(to: OutputStream, bytes: Uint8Array): void;
  /** A line of the runner's own, to stderr. */
  line(text: string): void;
  /** The job's output is complete. */
  end(): void;
}

export class OutputTurns {
  readonly #print: (to: OutputStream, bytes: Uint8Array) => void;
  /** Jobs not yet ended or not yet printed; the first one is being printed. */
  readonly #order: Held[] = [];

  constructor(print: (to: OutputStream, bytes: Uint8Array) => void) {
    this.#print = print;
  }

  begin(): JobOutput {
    const held: Held = { pieces: [], hasEnded: false };
    this.#order.push(held);
    const write = (to: OutputStream, bytes: Uint8Array): void => {
      if (this.#order[0] === held) this.#print(to, bytes);
      else held.pieces.push([to, bytes]);
    };
    return {
      write,
      line: (text) => write("stderr", new TextEncoder().encode(`${text}\n`)),
      end: () => {
        held.hasEnded = true;
        this.#printNext();
      },
    };
  }

  #printNext(): void {
    while (this.#order[0]?.hasEnded === true) {
      this.#order.shift();
      for (const [to, bytes] of this.#order[0]?.pieces.splice(0) ?? []) this.#print(to, bytes);
    }
  }
}

interface Held {
  readonly pieces: [OutputStream, Uint8Array][];
  hasEnded: boolean;
}
