/** What a KnowledgeBase object runs with: where files lie, and what makes vectors of their passages as its tenant is configured. */
import type { KnowledgeParts } from "../../durable-objects/knowledge-base/knowledge-parts.ts";
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import { isolateOf } from "./isolate.ts";

export function knowledgeParts(env: Cloudflare.Env): KnowledgeParts {
  const isolate = isolateOf(env);
  const contents = fileContents(env);
  return {
    open: (file, storedIn) => contents.open(file, storedIn),
    embedder: () => Promise.resolve(lexicalEmbedder),
    reranker: lexicalReranker,
    report: isolate.report,
  };
}
