/** The bindings and secrets that a fleet file may name, and no others, as the network port of the origin router. */
import type { ReportFault } from "../src/shared/contracts/report-fault.ts";
import type { Transport } from "../src/shared/routing/attempt.ts";
import type { RerankInput, TextInput } from "../src/shared/routing/engines/workers-ai-input.ts";
import type { AiRunner } from "../src/shared/routing/engines/workers-ai-transport.ts";
import { createOriginTransport } from "../src/shared/routing/origin-transport.ts";

interface OriginEnv {
  readonly ORIGIN_SIGNING_KEY?: string;
  /** Workers AI; in production alone, since it does not start offline. */
  readonly AI?: Ai;
}

/** One for the isolate's life: it remembers how each replica is reached. */
export function originTransport(env: OriginEnv, now: () => number, report: ReportFault): Transport {
  const { AI: ai } = env;
  return createOriginTransport({
    fetch: (url, init) => fetch(url, init),
    network(name) {
      const bound: unknown = name.startsWith("VPC_") ? Reflect.get(env, name) : undefined;
      return isNetwork(bound) ? (url, init) => bound.fetch(url, init) : null;
    },
    secret(name) {
      const value: unknown = name.startsWith("ORIGIN_") ? Reflect.get(env, name) : undefined;
      return typeof value === "string" ? value : undefined;
    },
    ai: ai === undefined ? null : aiRunner(ai),
    signingKey: env.ORIGIN_SIGNING_KEY,
    now,
    report,
  });
}

function isNetwork(value: unknown): value is Pick<Fetcher, "fetch"> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "fetch") === "function";
}

/** The published declaration of what `run` takes: a field of ours that it does not know no longer compiles. */
type DeclaredInput =
  | Pick<AiTextGenerationInput, keyof TextInput>
  | AiTextEmbeddingsInput
  | (Ai_Cf_Baai_Bge_Reranker_Base_Input & Pick<RerankInput, "query">);

function aiRunner(ai: Ai): AiRunner {
  return {
    run(model, input, options) {
      const declared: DeclaredInput = input;
      return ai.run(model, { ...declared }, options);
    },
  };
}
