import type { OriginAnswer } from "./ports.ts";

/** All of an answer that does not stream, as text. Rejects where it breaks. */
export async function wholeText({
  text,
  firstChunk,
  body,
}: Pick<OriginAnswer, "text" | "firstChunk" | "body">): Promise<string> {
  if (text !== null) return text;
  const decoder = new TextDecoder();
  const head = firstChunk === null ? "" : decoder.decode(firstChunk, { stream: true });
  return head + decoder.decode(body === null ? undefined : await new Response(body).arrayBuffer());
}
