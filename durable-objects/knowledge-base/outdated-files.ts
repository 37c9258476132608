import { noEmbedder, type SearchModels } from "./knowledge-parts.ts";
import type { PassageStore } from "./passage-store.ts";

/**
 * Which of these files were embedded by something else than what embeds now? No question is ever compared with their vectors, so that they
 * are found by words alone: whoever attaches them again gets them embedded anew. None where nothing was embedded, or nothing can be said.
 */
export async function outdatedFiles(
  fileIds: readonly string[],
  passages: PassageStore,
  models: () => Promise<SearchModels>,
): Promise<ReadonlySet<string>> {
  const embedded = fileIds.flatMap((id) => {
    const by = passages.embedderOf(id);
    return by === null ? [] : [{ id, by }];
  });
  if (embedded.length === 0) return new Set();
  const { embedder } = await models();
  if (embedder.id === noEmbedder) return new Set();
  return new Set(embedded.filter(({ by }) => by !== embedder.id).map(({ id }) => id));
}
