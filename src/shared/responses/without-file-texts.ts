/** An item as its owner sees it: a file appears in OpenAI's form, without the extracted text that is stored with it. */
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
