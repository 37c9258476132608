/** Reads code beside the page, which stays as quick as it is whatever a grammar does. Asked by code-reader.ts. */
import { codeWords } from "./code-words.ts";
import type { CodeAsked, CodeRead } from "./code-reader.ts";

addEventListener("message", ({ data }: MessageEvent<CodeAsked>) => {
  const read: CodeRead = { parts: codeWords(data.code, data.language) };
  postMessage(read);
});
