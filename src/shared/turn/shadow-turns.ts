/**
 * The copies that shadows get (docs/models.md). A copy begins when the answer's own first byte is in hand, in the background. The turn
 * neither waits for it nor depends on it: its outcome is only counted.
 */
import { permittedVariant } from "../routing/models/residency.ts";
import type { Background } from "../contracts/background.ts";
import type { Grounding } from "../grounding/ground.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { Shadow } from "../routing/fleet/alias-route.ts";
import type { RouteChoice } from "../routing/models/choose-route.ts";
import type { ModelVariant } from "../routing/fleet/fleet-index.ts";
import type { Origin, OriginAnswer, OriginRequest } from "../routing/ports.ts";
import { stableDraw } from "../routing/models/stable-draw.ts";
import type { TokenCalibration } from "../prompt/token-calibration.ts";
import type { Asked } from "./asked.ts";
import type { ValidatedTurn } from "./ports.ts";
import { spotlightOf } from "../safety/spotlight.ts";

/** The parts of a turn that are copied. */
export interface CopiedTurn {
  readonly turn: Pick<ValidatedTurn, "asked" | "tenant" | "requestId">;
  readonly route: Pick<RouteChoice, "alias" | "shadow">;
  /** The turn's own, whose place and trace the copy shares. */
  readonly request: OriginRequest;
  readonly history: readonly ChatMessage[];
  /** The passages found for the turn: the copy gets the same prompt. */
  readonly grounding: Grounding | null;
  readonly cacheSalt: string | null;
}

/** `cut`: it took too long or said too much. `unfit`: its model can't take the request. `skipped`: no room for it. */
export type ShadowResult = "answered" | "failed" | "cut" | "skipped" | "unfit";

export interface ShadowEnd {
  readonly alias: string;
  readonly model: string;
  readonly result: ShadowResult;
  /** From its dispatch; 0 where there was none. */
  readonly durationMs: number;
  /** As its engine counted them; `null`: it did not say. */
  readonly generatedTokens: number | null;
}

export interface ShadowOptions {
  readonly now: () => number;
  /** Calls back after so many milliseconds; the result cancels it. */
  readonly setTimer: (callback: () => void, ms: number) => () => void;
  readonly onEnd: (end: ShadowEnd) => void;
}

/** What a copy takes from the turn's own request. */
export interface ShadowMeans {
  readonly origin: Origin;
  readonly calibration: TokenCalibration;
  readonly background: Background;
}

/** Less than the 30 s for which work may continue after a response. */
export const longestShadowMs = 25_000;
const mostBytes = 2_097_152;
/** No id of a request is longer, and no router takes a longer one. */
const maxRequestId = 128;
/** A copy whose context was torn down never ends; after so long it counts as gone. */
const lostAfterMs = 2 * longestShadowMs;

export class ShadowTurns {
  readonly #options: ShadowOptions;
  /** When each copy that runs began, by alias. */
  readonly #running = new Map<string, Set<{ readonly sinceMs: number }>>();

  constructor(options: ShadowOptions) {
    this.#options = options;
  }

  /** Returns at once, and never throws. */
  mirror(copied: CopiedTurn, means: ShadowMeans): void {
    const { turn } = copied;
    const { alias, shadow } = copied.route;
    if (shadow === null) return;
    if (stableDraw(`shadow\n${alias}\n${turn.requestId}`) >= shadow.share) return;
    const nowMs = this.#options.now();
    const running = this.#running.get(alias) ?? new Set();
    this.#running.set(alias, running);
    for (const one of running) if (nowMs - one.sinceMs >= lostAfterMs) running.delete(one);
    if (running.size >= shadow.maxAtOnce) {
      this.#end(alias, shadow, "skipped", 0, null);
      return;
    }
    const mine = { sinceMs: nowMs };
    running.add(mine);
    means.background.run(
      "shadow",
      this.#run(copied, shadow, means).finally(() => running.delete(mine)),
    );
  }

  async #run(copied: CopiedTurn, shadow: Shadow, means: ShadowMeans): Promise<void> {
    // The turn's own stream goes first: composing the copy is work for the same processor.
    await this.#nextTask();
    const { alias } = copied.route;
    const request = requestOf(copied, shadow, means.calibration);
    if (request === null) {
      this.#end(alias, shadow, "unfit", 0, null);
      return;
    }
    const { now, setTimer } = this.#options;
    const startedMs = now();
    const controller = new AbortController();
    const cancel = setTimer(() => controller.abort(), longestShadowMs);
    let result: ShadowResult = "failed";
    let generatedTokens: number | null = null;
    try {
      const dispatched = await means.origin.dispatch(request, controller.signal);
      if (dispatched.ok) {
        const read = await discard(dispatched.value, controller.signal);
        result = read.whole ? "answered" : controller.signal.aborted || read.tooLong ? "cut" : "failed";
        ({ generatedTokens } = read);
      } else if (controller.signal.aborted) result = "cut";
      else if (dispatched.error.kind === "overloaded") result = "skipped";
      else if (dispatched.error.kind === "context-too-long") result = "unfit";
    } finally {
      cancel();
      this.#end(alias, shadow, result, now() - startedMs, generatedTokens);
    }
  }

  #nextTask(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.setTimer(resolve, 0);
    });
  }

  #end(
    alias: string,
    shadow: Shadow,
    result: ShadowResult,
    durationMs: number,
    generatedTokens: number | null,
  ): void {
    this.#options.onEnd({ alias, model: shadow.model.id, result, durationMs, generatedTokens });
  }
}

/** The same question, composed for the shadow's model. `null`: it can't take it. */
function requestOf(
  { turn, request, history, grounding, cacheSalt }: CopiedTurn,
  shadow: Shadow,
  calibration: TokenCalibration,
): OriginRequest | null {
  const { asked, tenant } = turn;
  // A copy, too, stays where the tenant's prompts may go.
  const permitted = shadow.model.variants.flatMap((one) => permittedVariant(one, tenant) ?? []);
  const variant = permitted.find((one) => suits(one, asked));
  if (variant === undefined) return null;
  const composed = asked.compose({
    history,
    defaultSystemPrompt: tenant.default_system_prompt,
    model: variant.record,
    estimateRatio: calibration.ratio(tenant.id, shadow.model.id),
    stream: true,
    cacheSalt,
    // It goes where it disturbs least, not where its prefix is.
    affinitySeed: null,
    spotlight: spotlightOf(tenant.safety, cacheSalt),
    passages: grounding?.passages ?? null,
  });
  if (!composed.ok) return null;
  const { path, body, promptTokens, maxTokens } = composed.value;
  return {
    ...request,
    requestId: `shadow-${request.requestId}`.slice(0, maxRequestId),
    clusters: variant.clusters,
    model: shadow.model.id,
    path,
    body,
    stream: true,
    promptTokens,
    affinity: null,
    tokens: promptTokens + Math.min(maxTokens, 1024),
    deadlineMs: longestShadowMs,
    shadow: true,
  };
}

function suits({ record }: ModelVariant, asked: Asked): boolean {
  return asked.capabilities.every((capability) => record.capabilities.includes(capability));
}

interface Discarded {
  /** It reached `[DONE]`. */
  readonly whole: boolean;
  readonly tooLong: boolean;
  readonly generatedTokens: number | null;
}

const atEnd = { done: true, value: undefined } as const;

/** Usage and end are in the last events. */
const tailCharacters = 1024;

/** Reads an answer to its end and keeps nothing of it. Reports to the router how it ended. */
async function discard(answer: OriginAnswer, signal: AbortSignal): Promise<Discarded> {
  const decoder = new TextDecoder();
  let tail = answer.firstChunk === null ? "" : decoder.decode(answer.firstChunk, { stream: true });
  let bytes = answer.firstChunk?.byteLength ?? 0;
  const reader = answer.body?.getReader();
  // An engine that hangs sends no more chunks, and is not waited for.
  const overdue = Promise.withResolvers<null>();
  const abandon = (): void => {
    answer.report("client-gone");
    overdue.resolve(null);
  };
  signal.addEventListener("abort", abandon, { once: true });
  const read = reader === undefined ? () => Promise.resolve(atEnd) : () => reader.read();
  let ended = false;
  try {
    while (!ended && bytes <= mostBytes) {
      const chunk = await Promise.race([read(), overdue.promise]);
      if (chunk === null) break;
      const { done, value } = chunk;
      ended = done;
      bytes += value?.byteLength ?? 0;
      tail = (tail + (value === undefined ? "" : decoder.decode(value, { stream: true }))).slice(
        -tailCharacters,
      );
    }
  } catch {
    // Broken, or aborted by the timer: either way it is not whole.
  }
  signal.removeEventListener("abort", abandon);
  const whole = ended && /\bdata: \[DONE\]\s*$/.test(tail);
  answer.report(whole ? "done" : "client-gone");
  const counted = [...tail.matchAll(/"completion_tokens":\s*(\d+)/g)].at(-1)?.[1];
  return {
    whole,
    tooLong: bytes > mostBytes,
    generatedTokens: counted === undefined ? null : Number(counted),
  };
}
