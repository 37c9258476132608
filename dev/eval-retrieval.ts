/**
 * How good is the search of knowledge bases, and how fast? `npm run eval:retrieval -- ../shared/data/retrieval` reads every collection in
 * that folder (BEIR's layout: corpus.jsonl, queries.jsonl, qrels.tsv) and copies nothing of it. The weights of the default were chosen on
 * every second query; `held out` are the others (docs/decisions/0061).
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { endWith, existingPath, readCommandLine } from "./commands/command-line.ts";
import { readCollection } from "./retrieval/collection.ts";
import { EvaluatedStore, ways } from "./retrieval/evaluate.ts";

class CollectionError extends Error {}

async function main(folder: string): Promise<void> {
  const names = existsSync(join(folder, "corpus.jsonl")) ? ["."] : readdirSync(folder).sort();
  const collections = names.filter((name) => existsSync(join(folder, name, "corpus.jsonl")));
  if (collections.length === 0)
    throw new CollectionError(`${folder} holds no collection: a folder with corpus.jsonl in it`);
  for (const name of collections) {
    const collection = readCollection(join(folder, name));
    const store = await EvaluatedStore.of(collection);
    const { queries, documents } = collection;
    console.log(
      `\n${name}: ${documents.length} documents, ${store.passages} passages stored in ${store.ingestMs.toFixed(0)} ms, ${queries.length} queries`,
    );
    console.log(`${"".padEnd(17)}nDCG@10  held out  recall@50  ms a query`);
    const heldOut = queries.filter((_, at) => at % 2 === 1);
    for (const way of ways) {
      const half = await store.evaluate(heldOut, way);
      const all = await store.evaluate(queries, way);
      const figures = [all.ndcg10, half.ndcg10, all.recall50].map((figure) => figure.toFixed(4));
      console.log(`${way.padEnd(17)}${figures.join("   ")}     ${all.msPerQuery.toFixed(1)}`);
    }
    store.close();
  }
}

if (import.meta.main) {
  const usage = "usage: npm run eval:retrieval -- <folder of collections>";
  const folder = readCommandLine(usage, () =>
    existingPath(parseArgs({ allowPositionals: true }).positionals),
  );
  try {
    await main(folder);
  } catch (error) {
    endWith(error, usage, [CollectionError]);
  }
}
