/** Which of the passages found repeat each other? Neighbours overlap: of two that share much of their text, the better one stays. */
import type { FoundPassage } from "./passage.ts";

/** Of the shorter one. A passage repeats up to half of the one before. */
const mostShared = 0.3;

/** Best first, and so it stays. */
export function withoutRepetitions(passages: readonly FoundPassage[]): FoundPassage[] {
  const kept: FoundPassage[] = [];
  for (const passage of passages) if (!kept.some((better) => sharesMuch(better, passage))) kept.push(passage);
  return kept;
}

function sharesMuch(one: FoundPassage, other: FoundPassage): boolean {
  if (one.fileId !== other.fileId) return false;
  const shared = Math.min(one.end, other.end) - Math.max(one.start, other.start);
  return shared > mostShared * Math.min(one.end - one.start, other.end - other.start);
}
