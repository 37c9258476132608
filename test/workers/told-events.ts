/** Whatever is read of one turn, by whomever and from wherever, is one and the same row of events. */
import { blocks, ids } from "./generation-probe.ts";

export class ToldEvents {
  readonly #byTurn = new Map<string, Map<number, string>>();

  /** Numbers of events that were told of a turn. */
  of(id: string): readonly number[] {
    return [...(this.#byTurn.get(id)?.keys() ?? [])];
  }

  forget(id: string): void {
    this.#byTurn.delete(id);
  }

  /** Reads to the end, or to where it is cut off. @returns what is wrong with it */
  async read(response: Response, id: string, from: number): Promise<readonly string[]> {
    const whole = await wholeEvents(response);
    const known = this.#byTurn.get(id) ?? new Map<number, string>();
    this.#byTurn.set(id, known);
    const numbers = ids(whole);
    return blocks(whole).flatMap((block, at) => {
      const number = numbers[at] ?? -1;
      const before = known.get(number);
      known.set(number, block);
      if (number !== from + at) return [`${id} told event ${number} where ${from + at} was next`];
      return before === undefined || before === block
        ? []
        : [`${id} told event ${number} as ${before} and as ${block}`];
    });
  }
}

async function wholeEvents(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = "";
  for (;;) {
    // Its object may be killed, or its turn deleted.
    const read = await reader?.read().catch(() => undefined);
    if (read === undefined || read.done) return text.slice(0, text.lastIndexOf("\n\n") + 2);
    text += decoder.decode(read.value, { stream: true });
  }
}
