/** Vectors by an embedding model of the fleet (`/v1/embeddings`: vLLM, or Workers AI behind its engine). */
import type { Refusal } from "../contracts/refusal.ts";
import { ok, type Result } from "../contracts/result.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import type { OriginFailure } from "../routing/ports.ts";
import { isRecord } from "../wire/is-record.ts";
import { inFormat } from "../turn/embedding-format.ts";
import {
  askAsFits,
  callFleet,
  type FleetCaller,
  type FleetModel,
  fleetModel,
  textFor,
} from "./fleet-call.ts";
import type { Embedder } from "./ports.ts";

/** Texts of one request: an engine computes them side by side, and a text costs a JSON list of a thousand numbers. */
const textsPerCall = 64;

/**
 * `dimensions` is 0 until the first answer: the fleet file does not say it. A text beyond the model's window is embedded by its
 * beginning; words find the rest.
 */
export function fleetEmbedder(caller: FleetCaller, name: string): Result<Embedder, Refusal> {
  const model = fleetModel(caller, name, "embeddings");
  return model.ok ? ok(new FleetEmbedder(caller, model.value)) : model;
}

class FleetEmbedder implements Embedder {
  readonly id: string;
  dimensions = 0;
  readonly #caller: FleetCaller;
  readonly #model: FleetModel;

  constructor(caller: FleetCaller, model: FleetModel) {
    this.#caller = caller;
    this.#model = model;
    this.id = model.madeBy;
  }

  async embed(texts: readonly string[]): Promise<Result<readonly Float32Array[], Refusal>> {
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += textsPerCall) {
      const some = texts.slice(at, at + textsPerCall);
      const embedded = await askAsFits((fill) => this.#ask(some, fill));
      if (!embedded.ok) return embedded;
      vectors.push(...embedded.value);
    }
    return ok(vectors);
  }

  async #ask(
    texts: readonly string[],
    fill: number,
  ): Promise<Result<readonly Float32Array[], OriginFailure>> {
    const { record } = this.#model;
    const maxTokens = Math.floor(record.context_window * fill);
    // An engine refuses the empty text.
    const input = texts.map((text) => textFor(record, text, maxTokens) || " ");
    const answer = await callFleet(this.#caller, this.#model, {
      path: "/v1/embeddings",
      promptTokens: input.reduce((sum, text) => sum + estimateTokens(text), 0),
      bodyFor: ({ served_name: model }) => ({ model, input, encoding_format: "float" }),
      read: ({ data }) => vectorsOf(data, texts.length),
    });
    if (answer.ok) this.dimensions = answer.value[0]?.length ?? this.dimensions;
    return answer;
  }
}

/** In the texts' order, of unit length and as many dimensions. `null`: it is not that. */
function vectorsOf(data: unknown, count: number): readonly Float32Array[] | null {
  if (!Array.isArray(data) || data.length !== count) return null;
  const vectors = new Map<number, Float32Array>();
  for (const [at, item] of (data as readonly unknown[]).entries()) {
    const read = inFormat(item, "float");
    if (!isRecord(read)) return null;
    const vector = unitVector(read["embedding"]);
    if (vector === null) return null;
    vectors.set(typeof read["index"] === "number" ? read["index"] : at, vector);
  }
  const ordered = Array.from({ length: count }, (_, at) => vectors.get(at));
  return ordered.every((vector) => vector !== undefined && vector.length === ordered[0]?.length)
    ? (ordered as readonly Float32Array[])
    : null;
}

function unitVector(numbers: unknown): Float32Array | null {
  if (!Array.isArray(numbers) || numbers.length === 0) return null;
  const vector = Float32Array.from(numbers as readonly unknown[], (one) =>
    typeof one === "number" ? one : Number.NaN,
  );
  const length = Math.hypot(...vector);
  return Number.isFinite(length) && length > 0 ? vector.map((value) => value / length) : null;
}
