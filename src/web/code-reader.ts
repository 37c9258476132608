/** Asks a worker to classify the words of code: one piece at a time, with a time limit. */
import type { CodePart } from "./code-words.ts";

export interface CodeAsked {
  readonly code: string;
  readonly language: string;
}

export interface CodeRead {
  readonly parts: readonly CodePart[] | null;
}

/** A worker from its user's side. */
export interface CodeWorker {
  ask(asked: CodeAsked): void;
  end(): void;
}

/** @param failed it could not be loaded, or has broken */
export type MakeCodeWorker = (answered: (read: CodeRead) => void, failed: () => void) => CodeWorker;

/** Longer code is shown in one colour. */
export const maxCodeUnits = 60_000;
/** 2,000 lines take some 50 ms. */
const readWithinMs = 2000;
/** Includes loading its file over the network. */
const beginWithinMs = 30_000;

export class CodeReader {
  readonly #make: MakeCodeWorker;
  #worker: CodeWorker | null = null;
  #hasAnswered = false;
  /** Resolves the piece that is being read. */
  #end: (read: CodeRead | null) => void = () => undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(make: MakeCodeWorker) {
    this.#make = make;
  }

  /** `null`: the language is unknown, it takes too long, or there is no worker. Never rejects. */
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
    // It is busy, or there is none: the next piece gets another worker.
    this.#worker.end();
    this.#worker = null;
    return null;
  }
}
