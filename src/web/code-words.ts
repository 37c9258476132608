/**
 * Classifies the words of a piece of code. highlight.js's grammars read it, lowlight returns the result as a tree. Some grammars take time
 * quadratic in the text (C++: half a minute for 60,000 letters of one word), so this runs only in a worker that can be ended
 * (code-worker.ts).
 */
import { common, createLowlight } from "lowlight";

/** A piece of code: plain text, or its class (styles/code.css) with the parts in it. */
export type CodePart = string | { readonly of: string; readonly parts: readonly CodePart[] };

const lowlight = createLowlight(common);
type Found = ReturnType<typeof lowlight.highlight>["children"][number];

/** `null`: the language is unknown. */
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
