import { env } from "cloudflare:workers";
import { deliverAppend } from "../../durable-objects/conversation/deliver-append.ts";
import { createGenerationClass } from "../../durable-objects/generation/generation.ts";
import type { ContentParts } from "../../durable-objects/generation/turn-content.ts";
import type {
  Delivery,
  Effect,
  Interruption,
  JournalEvent,
  ListedTurn,
  LostRun,
  TurnEnd,
  TurnIo,
  TurnOutcome,
  TurnRunner,
  TurnWork,
} from "../../src/shared/turn/durable/ports.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { turnContent } from "../../workers/edge/turn-content.ts";
import { type Fault, faultyBucket } from "./content-fixture.ts";

/**
 * A Generation object whose run plays a script, and a receiver of its effects that can be made to fail: the object's own
 * rules are tested against it, without a model, a bucket or a clock.
 */
export interface Script {
  readonly turnId: string;
  readonly steps: readonly Step[];
  readonly end: TurnOutcome | { readonly throws: string };
  /** How an interrupted turn ends. Default: `incomplete`, one error event, and the settlement. */
  readonly interrupted?: "refuses" | "throws" | "bad-events";
  readonly effects?: readonly Effect[];
  /** A lost run goes on behind what its journal holds. `refused`: it tries, and nobody answers; `hangs`: it never says more. */
  readonly resumes?: "goes-on" | "refused" | "throws" | "hangs";
}

export type Step =
  | { readonly emit: JournalEvent; readonly urgent?: boolean }
  | { readonly open: Record<string, string> }
  | { readonly keep: string }
  /** Waits for the journal's interval to pass and everything to be written: the next event begins another row. */
  | { readonly written: true }
  /** Waits until the test says `go`. */
  | { readonly pause: true };

export interface Control {
  runs: number;
  aborted: number;
  /** What `emit` said last. */
  accepted: boolean;
  /** Lets the run go on behind its pause, also where it has not come to it yet. Called inside the object. */
  go: () => void;
  readonly paused: PromiseWithResolvers<void>;
  /** The run has come to its pause. */
  readonly arrived: PromiseWithResolvers<void>;
  /** The run has played its script to the end. */
  readonly played: PromiseWithResolvers<void>;
  /** Fails that many deliveries of each kind before it lets one through: before or after it took effect. */
  failBefore: number;
  failAfter: number;
  /** The delivery that never returns after it took effect: the first is 1. */
  hangsAt: number | null;
  attempts: string[];
  /** Charges by their id: a second settlement of one changes nothing. */
  settled: Map<string, number>;
  /** Whose buckets each settlement was for. */
  settledFor: (readonly string[] | undefined)[];
  /** What of an effect is left behind a try. */
  left: (effect: Effect) => Effect | null;
  reports: string[];
  /** What each run that went on found remembered. */
  notes: (string | null)[];
  /** What the list was told, each time. */
  told: (ListedTurn | null)[];
  /** What comes of a call of the bucket of large content; `null`: there is none. */
  bucket: Fault | null;
  /** What each run that went on, and each end of one that did not, found kept. */
  kept: (string | null)[];
}

const controls = new Map<string, Control>();

export function controlOf(turnId: string): Control {
  const known = controls.get(turnId);
  if (known !== undefined) return known;
  const paused = Promise.withResolvers<void>();
  const made: Control = {
    runs: 0,
    aborted: 0,
    accepted: true,
    paused,
    arrived: Promise.withResolvers(),
    played: Promise.withResolvers(),
    go: () => paused.resolve(),
    failBefore: 0,
    failAfter: 0,
    hangsAt: null,
    attempts: [],
    settledFor: [],
    left: () => null,
    settled: new Map(),
    reports: [],
    notes: [],
    told: [],
    bucket: () => undefined,
    kept: [],
  };
  controls.set(turnId, made);
  return made;
}

const noUsage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

async function run(request: string, io: TurnIo, signal: AbortSignal, delivered = 0): Promise<TurnOutcome> {
  const script = JSON.parse(request) as Script;
  const control = controlOf(script.turnId);
  control.runs += 1;
  signal.addEventListener("abort", () => {
    control.aborted += 1;
  });
  let tokens = delivered;
  for (const step of script.steps) {
    if ("emit" in step) {
      tokens += 1;
      io.progress({ ...noUsage, promptTokens: 10, completionTokens: tokens });
      io.remember(`${tokens} told`);
      control.accepted = io.emit(step.emit, step.urgent);
    } else if ("open" in step) io.open(step.open);
    else if ("keep" in step) io.keep(step.keep);
    else if ("written" in step) await new Promise((resolve) => setTimeout(resolve, 60));
    else {
      control.arrived.resolve();
      await control.paused.promise;
    }
  }
  control.played.resolve();
  if ("throws" in script.end) throw new Error(script.end.throws);
  return script.end;
}

function interrupted(request: string, interruption: Interruption): TurnOutcome {
  const script = JSON.parse(request) as Script;
  if (script.interrupted === "throws") throw new Error("no end");
  if (script.interrupted === "refuses" && !interruption.opened)
    return {
      status: "refused",
      refusal: { kind: "internal", detail: interruption.reason },
      headers: {},
      effects: script.effects ?? [],
    };
  controlOf(script.turnId).kept.push(interruption.kept ?? null);
  const delivered = [...interruption.events()];
  const usage = interruption.usage ?? noUsage;
  const end: TurnEnd = {
    status: interruption.reason === "cancelled" ? "cancelled" : "incomplete",
    events: [{ data: JSON.stringify({ terminal: interruption.reason }) }],
    response: JSON.stringify({ delivered: delivered.length, reason: interruption.reason }),
    usage,
    basis: "counted",
    effects: [
      ...(script.effects ?? []),
      settlement(script.turnId, usage.promptTokens + usage.completionTokens),
    ],
  };
  return script.interrupted === "bad-events" ? { ...end, events: [...end.events, { data: "a\nb" }] } : end;
}

export function settlement(turnId: string, tokens: number): Effect {
  return {
    kind: "settle",
    chargeId: turnId,
    tenant: "demo",
    org: "demo",
    user: "alice",
    tier: "pro",
    jurisdiction: "none",
    tokens,
    requests: 1,
  };
}

/** Goes on with the events that the journal lacks. Where the script pauses again, so does it. */
function resume(request: string, lost: LostRun): TurnWork | null {
  const script = JSON.parse(request) as Script;
  if (script.resumes === undefined) return null;
  if (script.resumes === "throws") throw new Error("no way on");
  const control = controlOf(script.turnId);
  control.notes.push(lost.note);
  control.kept.push(lost.kept ?? null);
  let left = [...lost.events()].length;
  const steps = script.steps.filter((step) => !("pause" in step) && (!("emit" in step) || (left -= 1) < 0));
  if (script.resumes === "hangs")
    return () => {
      control.runs += 1;
      return new Promise(() => undefined);
    };
  return async (io, signal) =>
    script.resumes === "refused"
      ? { status: "refused", refusal: { kind: "internal", detail: "nobody" }, headers: {}, effects: [] }
      : run(JSON.stringify({ ...script, steps }), io, signal, lost.usage?.completionTokens ?? 0);
}

const runner: TurnRunner = {
  run,
  interrupted,
  resume,
  // A script was asked with one message.
  asked: (request, { after }) => ({
    messages: after === null ? JSON.stringify([[0, (JSON.parse(request) as Script).turnId]]) : null,
    hasMore: false,
  }),
  withMetadata: (response, metadata) =>
    JSON.stringify({ ...(JSON.parse(response) as object), metadata: JSON.parse(metadata) as unknown }),
};

function contentParts(objectName: string): ContentParts | null {
  const { bucket } = controlOf(objectName);
  if (bucket === null) return null;
  const FILES = faultyBucket((call, key) => controlOf(objectName).bucket?.(call, key));
  return turnContent(
    { env: { ...env, FILES }, hash: new KeyedHash("tests-edgewise-secret") },
    { name: objectName },
  );
}

export const ScriptedGeneration = createGenerationClass((env, { id }) => ({
  runner,
  content: contentParts(id.name ?? ""),
  report: (event, fields) => {
    controlOf(String(fields["turnId"])).reports.push(event);
  },
  deliver: async (effect, { turnId, listed }): Promise<Delivery> => {
    const control = controlOf(turnId);
    const nth = control.attempts.push(effect.kind);
    if (control.failBefore > 0) {
      control.failBefore -= 1;
      throw new Error("unreachable");
    }
    if (effect.kind === "list") control.told.push(listed());
    if (effect.kind === "append") {
      const delivery = await deliverAppend(env.CONVERSATION, "local", effect, turnId);
      if (delivery.result === "retry" || delivery.detail !== undefined) return delivery;
    }
    if (effect.kind === "settle" && !control.settled.has(effect.chargeId))
      control.settled.set(effect.chargeId, effect.tokens);
    if (effect.kind === "settle") control.settledFor.push(effect.owing);
    const left = effect.kind === "settle" && effect.owing === undefined ? control.left(effect) : null;
    if (left !== null) return { result: "retry", detail: "somebody has not heard", left };
    if (nth === control.hangsAt) return new Promise(() => undefined);
    if (control.failAfter > 0) {
      control.failAfter -= 1;
      return { result: "retry", detail: "the acknowledgement was lost" };
    }
    return { result: "acknowledged" };
  },
}));
