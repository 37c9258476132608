/** Turns a text into a conversation's title: one line of readable length. */

/** The longest title that a user or a model may give. */
export const maxTitleCharacters = 200;

/** One line without markup at its ends; `null`: nothing remains. */
export function tidyTitle(text: string, most: number = maxTitleCharacters): string | null {
  const line = text
    .slice(0, 4000)
    .split(/[\r\n]+/)
    .map((each) => each.replace(/[\p{Cc}\s]+/gu, " ").trim())
    .map((each) => each.replace(/^[#>*\-"'“”«»`\s]+|["'“”«»`*\s]+$/gu, ""))
    .find((each) => each !== "");
  if (line === undefined) return null;
  const characters = [...new Intl.Segmenter().segment(line.slice(0, most * 32))].map(
    ({ segment }) => segment,
  );
  if (characters.length <= most) return characters.join("");
  const cut = characters.slice(0, most - 1).join("");
  const word = cut.lastIndexOf(" ");
  return `${(word > most / 2 ? cut.slice(0, word) : cut).replace(/[\s,;:.–-]+$/u, "")}…`;
}
