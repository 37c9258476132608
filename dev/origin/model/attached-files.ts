import type { Turn } from "./conversation.ts";
import { withoutMarks } from "./datamark.ts";
import type { Passage } from "./passages.ts";

/** Which files came with the messages, as the service writes them into a prompt (src/shared/prompt/attached-files.ts)? */
const files = /<attached_file name="([^"]*)">\n([\s\S]*?)<\/attached_file>/g;
const pages = /<attached_page number="(\d+)">\n([\s\S]*?)\n<\/attached_page>/g;

/** A page each, or the whole of one without; called by its file's name, and its number. */
export function filesOf(turns: readonly Turn[]): Passage[] {
  return turns.flatMap(({ text }) =>
    Array.from(text.matchAll(files), ([whole, marked = "", inside = ""]) => {
      // What the model is told of the file is its first line.
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
