/**
 * What is needed to understand a failed test from its log alone: what each page showed, and what each product printed last. Whoever
 * opens one says how it is asked; on-failure.ts asks all that are still open.
 */

type Ask = () => string | Promise<string>;

interface Open {
  readonly ask: Ask;
  /** What a failed test has left open is closed: it would go on beside the next one. */
  readonly close: () => Promise<void>;
}

const open = new Map<string, Open>();
/** Whoever does not answer may be what the test failed by. */
const answersWithinMs = 5000;
const maxLines = 40;
const maxLineCharacters = 500;
const maxCharacters = 6000;

/** Returns how it is said that there is nothing more to ask. @param name of none that is open */
export function keepAsking(name: string, ask: Ask, close: Open["close"] = async () => {}): () => void {
  open.set(name, { ask, close });
  return () => void open.delete(name);
}

/** The last lines of what comes line by line, for as long as it is asked. */
export class LastLines {
  readonly #lines: string[] = [];

  readonly add = (line: string): void => {
    this.#lines.push(line.slice(0, maxLineCharacters));
    if (this.#lines.length > maxLines) this.#lines.shift();
  };

  readonly text = (): string => this.#lines.join("\n");
}

export function lastLinesOf(text: string): string {
  const last = new LastLines();
  for (const line of text.trimEnd().split("\n")) last.add(line);
  return last.text();
}

/** Of all that are open. Never rejects. */
export async function lastWords(): Promise<string> {
  const told = [...open].map(async ([name, { ask }]) => `--- ${name}\n${await answerOf(ask)}`);
  return (await Promise.all(told)).join("\n");
}

export async function closeOpen(): Promise<void> {
  await Promise.all([...open.values()].map(({ close }) => close()));
}

async function answerOf(ask: Ask): Promise<string> {
  let late: NodeJS.Timeout | undefined;
  const silence = new Promise<string>((resolve) => {
    late = setTimeout(() => resolve(`no answer within ${answersWithinMs} ms`), answersWithinMs);
  });
  const answer = Promise.resolve()
    .then(ask)
    .catch((error: unknown) => `can't be asked: ${String(error)}`);
  const text = await Promise.race([answer, silence]);
  clearTimeout(late);
  return text.length > maxCharacters ? `…${text.slice(-maxCharacters)}` : text;
}
