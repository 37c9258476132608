/**
 * Which words of a piece of code are what? highlight.js's grammars read it, lowlight gives a tree of what they found. Some of those grammars
 * take the square of what they read (C++: half a minute for 60,000 letters of one word), so that nobody calls this but a worker that can be
 * ended (code-worker.ts).
 */
import { common, createLowlight } from "lowlight";

/** A stretch of code: as it is, or as what it is (a class of styles/code.css), with what is in it. */
export type CodePart = string | { readonly of: string; readonly parts: readonly CodePart[] };

const lowlight = createLowlight(common);
type Found = ReturnType<typeof lowlight.highlight>["children"][number];

/** `null`: nobody here knows the language. */
export function codeWords(code: string, language: string): readonly CodePart[] | null {
  if (!lowlight.registered(language)) return null;
  return lowlight.highlight(language, code, { prefix: "code-" }).children.map(partOf);
}

function partOf(found: Found): CodePart {
  if (found.type === "text") return found.value;
  if (found.type !== "element") return "";
  const { className } = found.properties;
  return { of: Array.isArray(className) ? className.join(" ") : "", parts: found.children.map(partOf) };
}
