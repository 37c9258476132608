/** Scores by a reranking model of the fleet (`/v1/rerank`: vLLM's, which is Cohere's and Jina's form, or Workers AI behind its engine). */
import type { Refusal } from "../contracts/refusal.ts";
import { ok, type Result } from "../contracts/result.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import type { OriginFailure } from "../routing/ports.ts";
import { isRecord } from "../wire/is-record.ts";
import {
  askAsFits,
  callFleet,
  type FleetCaller,
  type FleetModel,
  fleetModel,
  textFor,
} from "./fleet-call.ts";
import type { Reranker } from "./ports.ts";

/** The question's share of the window: a page pasted in as a question would leave no room for the passages. */
const questionShare = 0.25;

export function fleetReranker(caller: FleetCaller, name: string): Result<Reranker, Refusal> {
  const model = fleetModel(caller, name, "rerank");
  return model.ok ? ok(new FleetReranker(caller, model.value)) : model;
}

class FleetReranker implements Reranker {
  readonly id: string;
  readonly #caller: FleetCaller;
  readonly #model: FleetModel;

  constructor(caller: FleetCaller, model: FleetModel) {
    this.#caller = caller;
    this.#model = model;
    this.id = model.madeBy;
  }

  async rank(query: string, passages: readonly string[]): Promise<Result<readonly number[], Refusal>> {
    if (passages.length === 0) return ok([]);
    return askAsFits((fill) => this.#ask(query, passages, fill));
  }

  async #ask(
    query: string,
    passages: readonly string[],
    fill: number,
  ): Promise<Result<readonly number[], OriginFailure>> {
    const { record } = this.#model;
    const room = record.context_window * fill;
    const question = textFor(record, query, Math.floor(room * questionShare));
    const questionTokens = estimateTokens(question);
    const documents = passages.map((passage) => textFor(record, passage, Math.floor(room - questionTokens)));
    return callFleet(this.#caller, this.#model, {
      path: "/v1/rerank",
      promptTokens: documents.reduce((sum, text) => sum + estimateTokens(text) + questionTokens, 0),
      bodyFor: ({ served_name: model }) => ({ model, query: question, documents, top_n: documents.length }),
      read: ({ results }) => scoresOf(results, passages.length),
    });
  }
}

/** In the passages' order. `null`: it is not that. */
function scoresOf(results: unknown, count: number): readonly number[] | null {
  if (!Array.isArray(results)) return null;
  const scores = new Map<number, number>();
  for (const result of results as readonly unknown[]) {
    if (!isRecord(result)) return null;
    const { index, relevance_score: score } = result;
    if (typeof index !== "number" || typeof score !== "number" || !Number.isFinite(score)) return null;
    scores.set(index, score);
  }
  const ordered = Array.from({ length: count }, (_, at) => scores.get(at) ?? Number.NaN);
  if (ordered.some(Number.isNaN)) return null;
  // Some engines give the model's own numbers; the logistic function brings them to 0..1 and keeps their order.
  return ordered.every((score) => score >= 0 && score <= 1)
    ? ordered
    : ordered.map((score) => 1 / (1 + Math.exp(-score)));
}
