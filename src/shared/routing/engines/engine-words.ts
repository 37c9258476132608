/**
 * Which part of an engine's error may be logged? Only the engine's own words: error texts quote the prompt, a tool call or half of an
 * answer, and no log holds content.
 */

const mostCharacters = 160;

/**
 * From a quote to the last one of its kind, since quoted text may hold quotes; to the end if it is never closed. An apostrophe
 * stands between two letters and is not a quote.
 */
const quoted = /(["`])[\s\S]*\1|(?<!\w)'[\s\S]*'(?!\w)|(?:["`]|(?<!\w)')[\s\S]*$/g;

/** Without quoted text, and without everything from a bracket on. */
export function engineWords(text: string): string {
  return text
    .replace(/[{[<][\s\S]*$/, "…")
    .replace(quoted, "…")
    .replace(/\s+/g, " ")
    .slice(0, mostCharacters);
}

/** The loggable words of an error that an engine sent in place of an answer, in any of its forms. */
export function engineSays(error: unknown): string {
  const { type, code, message } = (typeof error === "object" && error !== null ? error : {}) as Readonly<
    Record<string, unknown>
  >;
  const text = typeof error === "string" ? error : message;
  const kind = [type, code].flatMap((name) =>
    (typeof name === "string" && /^[\w.-]{1,64}$/.test(name)) || typeof name === "number" ? [name] : [],
  );
  return `the engine says: ${[...kind, typeof text === "string" ? engineWords(text) : ""].join(" ")}`.trim();
}
