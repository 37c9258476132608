import type { Turn } from "./conversation.ts";
import { withoutMarks } from "./datamark.ts";
import type { Passage } from "./passages.ts";

/** Finds the files that came with messages, in the form that the service writes into a prompt (src/shared/prompt/attached-files.ts). */
const files = /<attached_file name="([^"]*)">\n([\s\S]*?)<\/attached_file>/g;
const pages = /<attached_page number="(\d+)">\n([\s\S]*?)\n<\/attached_page>/g;

/** One passage for each page, or for a whole file without pages; labelled by the file's name, and the page's number. */
export function filesOf(turns: readonly Turn[]): Passage[] {
  return turns.flatMap(({ text }) =>
    Array.from(text.matchAll(files), ([whole, marked = "", inside = ""]) => {
      // Its first line is the description for the model.
      const body = withoutMarks(inside.slice(inside.indexOf("\n") + 1), whole);
      const name = withoutMarks(marked, whole);
      const numbered = Array.from(body.matchAll(pages), ([, number, page = ""]) => ({
        label: `${name}, page ${number}`,
        text: page,
      }));
      return numbered.length > 0 ? numbered : [{ label: name, text: body.trim() }];
    }).flat(),
  );
}

export function withoutFiles<T extends Turn>(turn: T): T {
  return turn.text.includes("</attached_file>")
    ? { ...turn, text: turn.text.replaceAll(files, " ").trim() }
    : turn;
}
