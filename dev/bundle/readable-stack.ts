/** Maps the places of a minified Worker's stack to the source, for `npm run stack` (dev/stack.ts). */
import type { SourceMap } from "node:module";

/** The text with every `index.js:1:2345` as `src/shared/…ts:12:3`; places that the map does not know stay unchanged. */
export function readableStack(text: string, map: Pick<SourceMap, "findEntry">): string {
  return text.replaceAll(
    /(?:[\w.:/-]*\/)?index\.js:(\d+):(\d+)/g,
    (place: string, line: string, column: string) => {
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
      if (!("originalSource" in entry) || entry.originalSource === "") return place;
      const source = entry.originalSource.replace(/^(?:\.\.\/)+/, "");
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    },
  );
}
