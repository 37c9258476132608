import type { OriginAnswer } from "./ports.ts";

type Parts = Pick<OriginAnswer, "text" | "firstChunk" | "body">;

/** All of an answer that does not stream, as text: at once where it was read whole. Rejects where it breaks. */
export function wholeText(answer: Parts): string | Promise<string> {
  return answer.text ?? readOn(answer);
}

async function readOn({ firstChunk, body }: Parts): Promise<string> {
  const decoder = new TextDecoder();
  const head = firstChunk === null ? "" : decoder.decode(firstChunk, { stream: true });
  return head + decoder.decode(body === null ? undefined : await new Response(body).arrayBuffer());
}
