/** An item as its owner is shown it: of a file, which it is, in OpenAI's form, without the text that was read of it and is kept with it. */
export function withoutFileTexts(item: object): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...item };
  if (Array.isArray(shown["content"])) shown["content"] = shown["content"].map(shownPart);
  return shown;
}

function shownPart(part: object): object {
  if (Reflect.get(part, "type") !== "input_file") return part;
  const { texts: _texts, has_pages: _hasPages, ...shown } = part as Record<string, unknown>;
  return shown;
}
