/** Asks a worker which words of code are what: one piece at a time, and none for longer than a moment. */
import type { CodePart } from "./code-words.ts";

export interface CodeAsked {
  readonly code: string;
  readonly language: string;
}

export interface CodeRead {
  readonly parts: readonly CodePart[] | null;
}

/** A worker, to whoever has it. */
export interface CodeWorker {
  ask(asked: CodeAsked): void;
  end(): void;
}

/** @param failed it can't be had, or has broken */
export type MakeCodeWorker = (answered: (read: CodeRead) => void, failed: () => void) => CodeWorker;

/** Longer code is shown in one colour. */
export const maxCodeUnits = 60_000;
/** 2,000 lines take some 50 ms. */
const readWithinMs = 2000;
/** Its file is fetched first, which takes as long as the network does. */
const beginWithinMs = 30_000;

export class CodeReader {
  readonly #make: MakeCodeWorker;
  #worker: CodeWorker | null = null;
  #hasAnswered = false;
  /** Of the piece that is read now. */
  #end: (read: CodeRead | null) => void = () => undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(make: MakeCodeWorker) {
    this.#make = make;
  }

  /** `null`: nobody knows the language, it takes too long, or the worker can't be had. Never rejects. */
  read(asked: CodeAsked): Promise<readonly CodePart[] | null> {
    if (asked.code.length > maxCodeUnits) return Promise.resolve(null);
    const read = this.#last.then(() => this.#ask(asked));
    this.#last = read;
    return read;
  }

  async #ask(asked: CodeAsked): Promise<readonly CodePart[] | null> {
    const { promise, resolve } = Promise.withResolvers<CodeRead | null>();
    this.#end = resolve;
    this.#worker ??= this.#make(
      (read) => this.#end(read),
      () => this.#end(null),
    );
    const timer = setTimeout(() => resolve(null), this.#hasAnswered ? readWithinMs : beginWithinMs);
    this.#worker.ask(asked);
    const read = await promise;
    clearTimeout(timer);
    this.#hasAnswered = read !== null;
    if (read !== null) return read.parts;
    // It is in the middle of something, or there is none: the next piece gets another.
    this.#worker.end();
    this.#worker = null;
    return null;
  }
}
