/** A client's own text in the form in which a message or a log line repeats it: shortened, without control characters. */
export function echoedText(text: string, maxCharacters: number): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").toWellFormed();
}
