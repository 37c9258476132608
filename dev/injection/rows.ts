/** The labelled texts that the classifier is trained and judged on (../shared/data/README.md names their sources and licences). */
import { readFileSync } from "node:fs";

export interface LabelledText {
  readonly id: string;
  readonly source: string;
  readonly label: 0 | 1;
  readonly text: string;
  /** `indirect`: it is an attack only within a tool result or a document. */
  readonly kind?: string;
}

export function readRows(path: string): LabelledText[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, at) => {
    if (line === "") return [];
    const row = JSON.parse(line) as Partial<LabelledText>;
    if (
      typeof row.text !== "string" ||
      (row.label !== 0 && row.label !== 1) ||
      typeof row.source !== "string"
    )
      throw new TypeError(`${path}:${at + 1}: is no row of text, label (0 or 1) and source`);
    return [{ ...row, id: row.id ?? String(at), text: row.text, label: row.label, source: row.source }];
  });
}

/** Texts that people wrote to each other, not to an assistant: even harmful ones are not injections. From `folder`, if it has them. */
export function otherTexts(folder: string): LabelledText[] {
  return ["harm.jsonl", "pii_spans.jsonl"].flatMap((file) =>
    readFileSync(`${folder}/${file}`, "utf8")
      .split("\n")
      .flatMap((line, at) => {
        if (line === "") return [];
        const { text } = JSON.parse(line) as { text: string };
        return [{ id: `${file}/${at}`, source: file, label: 0 as const, text }];
      }),
  );
}
