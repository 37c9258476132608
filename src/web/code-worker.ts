/** Classifies code outside the page's thread, so that slow grammars never block the page. Called by code-reader.ts. */
import { codeWords } from "./code-words.ts";
import type { CodeAsked, CodeRead } from "./code-reader.ts";

addEventListener("message", ({ data }: MessageEvent<CodeAsked>) => {
  const read: CodeRead = { parts: codeWords(data.code, data.language) };
  postMessage(read);
});
