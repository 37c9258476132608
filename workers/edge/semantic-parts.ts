/** The semantic cache as this isolate has it: its objects, its embedder, its clock. */
import { semanticIndexPort } from "../../durable-objects/semantic-index/semantic-index-port.ts";
import type { SemanticParts } from "../../src/shared/cache/semantic/semantic-turn.ts";
import type { ReportFault } from "../../src/shared/contracts/report-fault.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import type { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";

export function semanticParts(
  env: Cloudflare.Env,
  hash: KeyedHash,
  nowMs: () => number,
  startTimer: (fire: () => void, ms: number) => () => void,
  report: ReportFault,
): SemanticParts {
  return {
    index: semanticIndexPort(env),
    lexical: lexicalEmbedder,
    hash,
    nowMs,
    timer: (ms, fire) => startTimer(fire, ms),
    onFault: (detail) => report("semantic cache", detail),
  };
}
