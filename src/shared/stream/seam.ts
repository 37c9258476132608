/**
 * Where one engine's answer is continued by another: which part of the second one's text is new to the client, and did a stop string span
 * the seam? Only the first few characters pass through here; then the seam is closed.
 */
export interface SeamOptions {
  /** What the second engine was given as said. */
  readonly prefix: string;
  /** What the client has beyond that: the second engine will say it again, mostly. */
  readonly ahead: string;
  readonly stops: readonly string[];
  /** The client asked to see its stop string. */
  readonly includeStop: boolean;
}

export interface SeamStep {
  /** What the answer's text grows by: said by the second engine, or already with the client. For the transcript. */
  readonly said: string;
  /** What of it the client does not have yet. */
  readonly fresh: string;
  /** A stop string was completed: the answer is complete, whatever else comes. */
  readonly stopped: boolean;
}

export class Seam {
  readonly #stops: readonly string[];
  readonly #includeStop: boolean;
  /** The end of the prefix, as far as a stop string can begin in it, followed by the new text. */
  #window: string;
  /** In `#window`: where the prefix ends. */
  readonly #from: number;
  readonly #longest: number;
  #ahead: string;

  constructor({ prefix, ahead, stops, includeStop }: SeamOptions) {
    this.#stops = stops.filter((stop) => stop !== "");
    this.#includeStop = includeStop;
    this.#longest = Math.max(0, ...this.#stops.map((stop) => stop.length));
    this.#from = Math.min(prefix.length, Math.max(0, this.#longest - 1));
    this.#window = this.#from === 0 ? "" : prefix.slice(-this.#from);
    this.#ahead = ahead;
  }

  /** Nothing is left to be looked at: text passes as it is. */
  get closed(): boolean {
    return (
      this.#ahead === "" &&
      (this.#from === 0 || this.#window.length - this.#from >= Math.max(0, this.#longest - 1))
    );
  }

  /** What the client has and the second engine has not said yet. */
  get ahead(): string {
    return this.#ahead;
  }

  push(text: string): SeamStep {
    const before = this.#window.length;
    this.#window += text;
    const end = this.#stopEnd(before);
    const taken = end === null ? text : text.slice(0, Math.max(0, end - before));
    return { ...this.#beyondAhead(taken), stopped: end !== null };
  }

  /** Up to where the text goes when a stop string that began before the seam closes behind it; `null`: none does. */
  #stopEnd(before: number): number | null {
    if (this.#from === 0) return null;
    let first: { readonly at: number; readonly end: number } | null = null;
    for (const stop of this.#stops) {
      for (let at = this.#window.indexOf(stop); at !== -1; at = this.#window.indexOf(stop, at + 1)) {
        // A stop string that lies wholly after the seam is handled by the second engine.
        if (at >= this.#from) break;
        const end = at + stop.length;
        if (end > this.#from && end > before && (first === null || at < first.at)) first = { at, end };
      }
    }
    if (first === null) return null;
    return this.#includeStop ? first.end : first.at;
  }

  #beyondAhead(text: string): { readonly said: string; readonly fresh: string } {
    const ahead = this.#ahead;
    if (ahead === "") return { said: text, fresh: text };
    let same = 0;
    while (same < text.length && same < ahead.length && text[same] === ahead[same]) same += 1;
    if (same === text.length) {
      this.#ahead = ahead.slice(same);
      return { said: text, fresh: "" };
    }
    // All of it was said again, or the second engine goes another way: what the client has stays said.
    this.#ahead = "";
    const fresh = text.slice(same);
    return { said: ahead + fresh, fresh };
  }
}
