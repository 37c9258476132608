/** A delta as several, where an engine says more at once than an event should hold: a journal's row takes so much, and clients parse an event whole. */
import type { EngineDelta } from "./engine-event.ts";

/** Of one text. Escaped, each character may be six. */
export const mostEventCharacters = 65_536;

export function inPieces(delta: EngineDelta): readonly EngineDelta[] {
  const { content, reasoning, refusal, toolCalls, ...rest } = delta;
  if (
    ![content, reasoning, refusal].some(isLong) &&
    !(toolCalls ?? []).some((call) => isLong(call.function.arguments))
  )
    return [delta];
  const pieces: EngineDelta[] = [];
  const { index } = delta;
  for (const piece of cut(reasoning)) pieces.push({ index, reasoning: piece });
  for (const piece of cut(content)) pieces.push({ index, content: piece });
  for (const piece of cut(refusal)) pieces.push({ index, refusal: piece });
  for (const call of toolCalls ?? []) {
    const [first = "", ...others] = cut(call.function.arguments);
    pieces.push({ index, toolCalls: [{ ...call, function: { ...call.function, arguments: first } }] });
    for (const piece of others)
      pieces.push({ index, toolCalls: [{ index: call.index, function: { arguments: piece } }] });
  }
  // Its role, and its log probabilities, come with the first.
  const [first, ...others] = pieces;
  return first === undefined ? [delta] : [{ ...rest, ...first }, ...others];
}

function isLong(text: string | undefined): boolean {
  return text !== undefined && text.length > mostEventCharacters;
}

/** Between characters. */
function cut(text = ""): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = Math.min(text.length, at + mostEventCharacters);
    const last = text.charCodeAt(end - 1);
    const whole = end < text.length && last >= 0xd8_00 && last <= 0xdb_ff ? end - 1 : end;
    pieces.push(text.slice(at, whole));
    at = whole;
  }
  return pieces;
}
