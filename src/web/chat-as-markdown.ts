/** A whole chat as one text for download: the active branch, from its first message to its last. */
import { shownName } from "../shared/wire/shown-name.ts";
import { loadItems } from "./conversations-api.ts";
import type { ThreadItem } from "./thread.ts";

/** The most items that the API returns at once. */
const page = 100;

/** Throws an ApiError if any part can't be loaded: half a chat is useless. */
export async function loadChat(token: string, id: string): Promise<readonly ThreadItem[]> {
  let items: readonly ThreadItem[] = [];
  for (;;) {
    const { entries, hasMore } = await loadItems(token, id, items[0]?.id ?? null, page);
    items = [...entries, ...items];
    if (!hasMore || entries.length === 0) return items;
  }
}

/** Without tool calls and pictures. A user's text is not Markdown and stays as it was typed. */
export function chatAsMarkdown(title: string, items: readonly ThreadItem[]): string {
  const messages = items.flatMap(({ role, text, files = [], sources = [], incomplete }) => {
    if (role === null) return [];
    const came = files.length === 0 ? [] : [`*With it came ${files.map(shownName).join(", ")}*`];
    const cited = sources.map(({ index, filename, page, url }) => {
      const name = `${shownName(filename)}${page === undefined ? "" : `, p. ${page}`}`;
      return `- [${index}] ${url === undefined ? name : `${name} <${url}>`}`;
    });
    return [
      `## ${role === "user" ? "You" : "Assistant"}`,
      ...came,
      ...(text === "" ? [] : [text]),
      ...(incomplete === true ? ["*The answer ended early*"] : []),
      ...(cited.length === 0 ? [] : [`Sources:\n\n${cited.join("\n")}`]),
    ];
  });
  return `${[`# ${title.replaceAll(/\s+/g, " ")}`, ...messages].join("\n\n")}\n`;
}

/** A name that every system accepts. */
export function fileNameOf(title: string): string {
  const name = shownName(title)
    .replaceAll(/[\p{Cc}\\/:*?"<>|]+/gu, " ")
    .replaceAll(/\s+/g, " ")
    .replace(/^[. ]+/, "")
    .slice(0, 80)
    .replace(/[. ]+$/, "");
  return `${name || "Chat"}.md`;
}

/** Downloads a text like a click on a link. */
export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
  link.download = name;
  link.click();
  // By then the browser has read it; some read it only after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
