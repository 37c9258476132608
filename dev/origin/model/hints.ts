/** The most characters of a question that are examined: the patterns below are not linear in its length. */
const maxCharacters = 4000;

/**
 * Which parts of the question can fill a field? Numbers, quoted text, an expression, a place, in the order of the text, each
 * used once if there are several. So arguments and structured answers relate to the question.
 */
export class Hints {
  readonly question: string;
  readonly #numbers: number[];
  readonly #quoted: string[];
  readonly #names: string[];

  constructor(whole: string) {
    const question = whole.slice(0, maxCharacters);
    this.question = question;
    this.#numbers = [...question.matchAll(/-?\d+(?:\.\d+)?/g)].map((match) => Number(match[0]));
    this.#quoted = [...question.matchAll(/`([^`]+)`|"([^"]+)"|“([^”]+)”/g)].map(
      (match) => match[1] ?? match[2] ?? match[3] ?? "",
    );
    this.#names = [...question.matchAll(/(?<=[\p{L}\p{N},] )\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)*/gu)].map(
      (match) => match[0],
    );
  }

  number(fits: (value: number) => boolean): number | undefined {
    const at = this.#numbers.findIndex((value) => fits(value));
    return at === -1 ? undefined : this.#numbers.splice(at, 1)[0];
  }

  /** A text for the field of this name; undefined: nothing in the question fits. */
  text(field: string, format: string | undefined): string | undefined {
    if (format !== undefined && format !== "uri" && format !== "email") return undefined;
    const name = field.toLowerCase();
    if (format === "email" || /e-?mail/.test(name))
      return /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/.exec(this.question)?.[0];
    if (format === "uri" || /ur[il]$|link/.test(name))
      return /https?:\/\/[^\s"'`<>)]+/.exec(this.question)?.[0];
    const quoted = this.#quoted.shift();
    if (quoted !== undefined) return quoted;
    if (/expr|formula|calculation|equation/.test(name)) return expressionIn(this.question);
    if (/city|location|place|country|town|region|name|person|destination/.test(name))
      return this.#names.shift();
    if (/timezone|time_zone|^tz$/.test(name))
      return /\b[A-Z][a-z]+\/[A-Z][a-z_]+\b|\bUTC\b/.exec(this.question)?.[0];
    if (/query|question|^q$|text|input|prompt|search|message|topic|content|subject/.test(name))
      return this.question;
    return undefined;
  }

  mentions(value: string): boolean {
    return this.question.toLowerCase().includes(value.toLowerCase());
  }
}

/** The arithmetic in a sentence, e.g. "12 * (3 + 4)" of "What is 12 * (3 + 4)?". */
export function expressionIn(text: string): string | undefined {
  const match = /[\d(.][\d\s.,()]*(?:(?:\*\*|[-+*/^%×÷x])\s*[-\d(.][\d\s.,()]*)+/.exec(
    text.slice(0, maxCharacters),
  );
  const expression = match?.[0].replaceAll("×", "*").replaceAll("x", "*").replaceAll("÷", "/").trim();
  return expression?.replace(/[.,]+$/, "");
}
