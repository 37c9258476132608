/** What do screen readers announce about a chat's files when `before` has become `now`? Each step once, without percentages. */
import type { ChatFile } from "./chat-file.ts";

/** Empty: nothing to announce. */
export function toldOfFiles(before: readonly ChatFile[], now: readonly ChatFile[]): string {
  const known = new Map(before.map(({ key, state }) => [key, state.kind]));
  const fresh = now.filter(({ key, state, sent }) => !sent && known.get(key) !== state.kind);
  const sentences = fresh.flatMap(({ name, state }) => {
    switch (state.kind) {
      // Announced with the file's first step.
      case "waiting":
        return known.size === now.length ? [] : [`${name} is attached.`];
      case "uploading":
        return [`${name} is uploading.`];
      case "reading":
        return [];
      case "ready":
        return [`${name} is ready.`];
      case "failed":
        return [`${name}: ${state.why}`];
    }
  });
  for (const { key, name, sent } of before)
    if (!sent && !now.some((file) => file.key === key)) sentences.push(`${name} is removed.`);
  return sentences.join(" ");
}
