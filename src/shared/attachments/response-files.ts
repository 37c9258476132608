/** The files that the input of a response brings, and the input with their texts in place of them. */
import type { FileText } from "../prompt/file-part.ts";
import type { InputPart, Item } from "../responses/item.ts";
import type { AttachedFile } from "./read-attached.ts";

/** @param field of the body that holds the items */
export function filesOfInput(
  input: readonly Item[],
  field: "input" | "items" = "input",
): readonly AttachedFile[] {
  const files: AttachedFile[] = [];
  for (const [at, item] of input.entries()) {
    if (item.type !== "message" || item.role === "assistant") continue;
    for (const [partAt, part] of item.content.entries())
      if (part.type === "sent_file")
        files.push({ file: part.file, place: `${field}[${at}].content[${partAt}]` });
  }
  return files;
}

/** @param texts of `filesOfInput`, in its order. The bytes that were sent stay with them: its owner is shown what was sent. */
export function withInputTexts(input: readonly Item[], texts: readonly FileText[]): readonly Item[] {
  const left = texts[Symbol.iterator]();
  const read = (part: InputPart): InputPart => {
    if (part.type !== "sent_file") return part;
    const { value } = left.next();
    if (value === undefined) throw new Error("a file has no text");
    const sent = "file_data" in part.file ? { file_data: part.file.file_data } : {};
    return { type: "input_file", ...value, ...sent };
  };
  return input.map((item) =>
    item.type === "message" && item.role !== "assistant"
      ? { ...item, content: item.content.map(read) }
      : item,
  );
}
