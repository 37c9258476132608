/**
 * Which passages of a store answer a search? `embed ▸ by words ‖ by vectors ▸ fuse ▸ rerank ▸ drop repetitions ▸ threshold`.
 *
 * What a score means: with a reranker, its own score and the fused one, weighted by the reranker's `share` (a model's counts alone). Without
 * one, the fused share (fuse.ts): 1 is the first place in all lists. Scores of two ways to rank can't be compared; those of two stores
 * roughly, where the same embedder and reranker made them: the fused part is a place in its own store.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { AttributeFilter } from "./attribute-filter.ts";
import { BestFew, type Scored } from "./best-few.ts";
import { fuseRanks, type RankedList } from "./fuse.ts";
import type { FoundPassage } from "./passage.ts";
import type { Embedder, FoundPassages, LackingPart, PassageSearch, Reranker, VectorIndex } from "./ports.ts";
import { withoutRepetitions } from "./without-repetitions.ts";

/** Where a search may look: all of a store, or files by their numbers. */
export type SearchedFiles = readonly number[] | "all";

/** A store that can be asked at once, without waiting: durable-objects/knowledge-base/passage-store.ts. */
export interface SearchedStore {
  contentVersion(): string;
  filesThatMeet(filter: AttributeFilter | null): SearchedFiles;
  /** Passages of these files. */
  countWithin(files: SearchedFiles): number;
  /** Ids, best first. */
  byWords(query: string, limit: number, files: SearchedFiles): readonly number[];
  /** @param covered what is not compared (`SearchedIndex.covers`); `null`: all are */
  byVector(
    vector: Float32Array,
    embedderId: string,
    limit: number,
    files: SearchedFiles,
    covered: SearchedIndex["covers"] | null,
  ): readonly Scored[];
  /** Only passages that still exist, in these files. */
  within(found: readonly Scored[], files: SearchedFiles): readonly Scored[];
  passages(scored: readonly Scored[]): FoundPassage[];
}

export interface SearchParts {
  readonly store: SearchedStore;
  readonly embedder: Embedder;
  readonly reranker: Reranker;
  /** What finds vectors that the store does not compare; absent: it compares all. */
  readonly index?: SearchedIndex;
  /** Called for a part that failed and was skipped. */
  readonly onLack?: (part: LackingPart, refusal: Refusal) => void;
}

export interface SearchedIndex extends Pick<VectorIndex, "nearest"> {
  /** Blocks of vectors that it is known to find since no later than this mark of the store's, or all. */
  readonly covers: number | "all";
  /** Up to so many passages, for all queries together, the store compares after all, where the index's nearest are mostly others' than those asked for. */
  readonly compares: number;
}

/** Of each list: what lies behind it can't come among the best results any more. */
const listLength = 100;
/** How many passages are ranked anew; a model takes each of them through all its layers. */
const poolSize = 50;

/**
 * An embedder or reranker that fails leaves what words find, in the order in which they were found: the answer says what it lacks.
 * Everything that reads the store happens at one moment, of which `contentVersion` tells.
 */
export async function findPassages(
  search: PassageSearch,
  { store, embedder, reranker, index, onLack }: SearchParts,
): Promise<Result<FoundPassages, Refusal>> {
  const lacking: LackingPart[] = [];
  const lack = (part: LackingPart, refusal: Refusal): void => {
    lacking.push(part);
    onLack?.(part, refusal);
  };
  const embedded = await embedder.embed(search.queries, "query");
  if (!embedded.ok) {
    if (embedded.error.kind === "client-gone") return embedded;
    lack("vectors", embedded.error);
  }
  const vectors = embedded.ok ? embedded.value : [];
  const outside = index === undefined ? null : await nearestOutside(index, vectors);
  if (outside !== null && !outside.ok) lack("vectors", outside.error);

  const files = store.filesThatMeet(search.filters);
  const lists: RankedList[] = search.queries.map((query) => ({
    ids: store.byWords(query, listLength, files),
    weight: 1,
  }));
  const weight = embedder.weight ?? 1;
  let isShort = false;
  for (const [at, vector] of vectors.entries()) {
    const near = nearestIn(store, files, {
      vector,
      embedderId: embedder.id,
      found: outside?.ok === true ? (outside.value[at] ?? []) : [],
      index,
      wanted: search.maxResults,
      queries: vectors.length,
    });
    // A list that failed does not count: it would lower every score.
    if (outside?.ok !== false || near.ids.length > 0) lists.push({ ids: near.ids, weight });
    isShort ||= near.isShort;
  }
  // Not a failure: only the caller is told.
  if (isShort && !lacking.includes("vectors")) lacking.push("vectors");
  const pool = store.passages(fuseRanks(lists).slice(0, poolSize));
  const contentVersion = store.contentVersion();

  const ranked = search.rerank ? await rerank(search, pool, reranker, lack) : ok(pool);
  if (!ranked.ok) return ranked;
  const passages = withoutRepetitions(ranked.value)
    .filter(({ score }) => score >= search.scoreThreshold)
    .slice(0, search.maxResults);
  return ok({ passages, contentVersion, ...(lacking.length === 0 ? {} : { lacking }) });
}

interface NearSearch {
  readonly vector: Float32Array;
  readonly embedderId: string;
  /** Nearest of all that the index holds, also of what is not asked for, or is removed. */
  readonly found: readonly Scored[];
  readonly index: SearchedIndex | undefined;
  readonly wanted: number;
  /** Of the whole search, each of which may want to compare. */
  readonly queries: number;
}

/**
 * The nearest in these files. The index names its first hundred whatever is asked for: where fewer of them count than are wanted, the store
 * compares, as far as it may; beyond, more could be near than are told of (`isShort`).
 */
function nearestIn(
  store: SearchedStore,
  files: SearchedFiles,
  { vector, embedderId, found, index, wanted, queries }: NearSearch,
): { readonly ids: readonly number[]; readonly isShort: boolean } {
  const compared = (covered: SearchedIndex["covers"] | null) =>
    store.byVector(vector, embedderId, listLength, files, covered);
  const here = compared(index?.covers ?? null);
  const ids = nearestOf(here, store.within(found, files));
  if (index === undefined || found.length < listLength || ids.length >= wanted)
    return { ids, isShort: false };
  if (store.countWithin(files) * queries > index.compares) return { ids, isShort: true };
  return { ids: compared(null).map(({ id }) => id), isShort: false };
}

/** Of both, none twice: a vector that was just sent is found by either. Both scores are cosines, here to a hundredth. */
function nearestOf(here: readonly Scored[], there: readonly Scored[]): readonly number[] {
  if (there.length === 0) return here.map(({ id }) => id);
  const best = new BestFew(listLength);
  const scores = new Map([...there, ...here].map(({ id, score }) => [id, score]));
  for (const [id, score] of scores) best.add(id, score);
  return best.toArray().map(({ id }) => id);
}

async function nearestOutside(
  index: SearchedIndex,
  vectors: readonly Float32Array[],
): Promise<Result<readonly (readonly Scored[])[], Refusal>> {
  try {
    return ok(await Promise.all(vectors.map((vector) => index.nearest(vector, listLength))));
  } catch (error) {
    const detail = error instanceof Error ? error.name : "not an error";
    return err({ kind: "dependency-unavailable", component: "vector-index", retryAfterMs: 1000, detail });
  }
}

async function rerank(
  { queries }: PassageSearch,
  pool: readonly FoundPassage[],
  reranker: Reranker,
  lack: (part: LackingPart, refusal: Refusal) => void,
): Promise<Result<readonly FoundPassage[], Refusal>> {
  if (pool.length === 0) return ok(pool);
  const scores = await reranker.rank(
    queries.join("\n"),
    pool.map(({ text }) => text),
  );
  if (!scores.ok) {
    if (scores.error.kind === "client-gone") return scores;
    lack("rerank", scores.error);
    return ok(pool);
  }
  const { share = 1 } = reranker;
  return ok(
    pool
      .map((passage, at) => ({
        ...passage,
        score: clamped(share * (scores.value[at] ?? 0) + (1 - share) * passage.score),
      }))
      // A stable sort: of equal scores, the better found is first.
      .sort((left, right) => right.score - left.score),
  );
}

/** Sums of shares are off by a rounding. To four digits: more says nothing, and `0.6000000000000002` is what people would read. */
function clamped(score: number): number {
  return Math.min(1, Math.max(0, Math.round(score * 10_000) / 10_000));
}
