import { createBatchClass } from "../../durable-objects/batch/batch.ts";
import type { BatchParts, LineOutcome, LineToRun } from "../../durable-objects/batch/batch-parts.ts";
import { chargePrefixOf, type LineDebt } from "../../src/shared/batches/line-debt.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import type { ResultKind } from "../../src/shared/batches/result-line.ts";

/**
 * A Batch object whose file, turns and Library are the test's, and which stands still, or fails, where the test says: the object's own rules
 * are tested against it, without a fleet. A test is known by its tenant. What the control holds outlives the object, as other objects do.
 */
export const batchSteps = [
  "open",
  "model",
  "read",
  "ask",
  "asked",
  "forget",
  "keep output",
  "kept output",
  "keep error",
  "kept error",
  "release",
  "tell",
  "told",
] as const;
/** `find` comes behind a kill alone, `pay` and `paid` where lines are asked directly. */
export type BatchStep = (typeof batchSteps)[number] | "find" | "pay" | "paid";

export interface BatchControl {
  /** `null`: it was deleted. */
  input: string | null;
  /** Where the next to come there stands still, for ever. */
  stopsAt: BatchStep | null;
  /** Somebody came there. A test looks for it again and again: who is told within an object's own call can't kill that object. */
  hasArrived: boolean;
  /** Where the next to come there fails. */
  failsAt: BatchStep | null;
  /** What becomes of a turn that begins. */
  answers: (line: LineToRun) => LineOutcome | Promise<LineOutcome>;
  /** Turns that there are, by line and attempt: who asks again finds them. */
  readonly turns: Map<string, LineOutcome>;
  /** Lines in the order in which they were asked. */
  readonly asked: string[];
  readonly forgotten: string[];
  readonly files: Map<ResultKind, string>;
  /** What each charge came to, as often as it was told, by its id. */
  readonly paid: Map<string, LineDebt[]>;
  /** What of a debt is to be told again. */
  left: (debt: LineDebt) => LineDebt | null;
  readonly told: string[];
  /** Of lines, among those of all users. */
  room: number;
  released: number;
  readonly reports: string[];
}

const controls = new Map<string, BatchControl>();

export function batchControl(tenant: string): BatchControl {
  const known = controls.get(tenant);
  if (known !== undefined) return known;
  const made: BatchControl = {
    input: "",
    stopsAt: null,
    hasArrived: false,
    failsAt: null,
    answers: answered,
    turns: new Map(),
    asked: [],
    forgotten: [],
    files: new Map(),
    paid: new Map(),
    left: () => null,
    told: [],
    room: Infinity,
    released: 0,
    reports: [],
  };
  controls.set(tenant, made);
  return made;
}

export function answered({ number, body }: LineToRun): LineOutcome {
  const usage = { prompt_tokens: 10, completion_tokens: 2 };
  return {
    kind: "answered",
    isKept: false,
    answered: {
      statusCode: 200,
      requestId: `r-${number}`,
      body: JSON.stringify({ said: body["say"], usage }),
    },
  };
}

/** An answer that is an error. */
export function refusedLine({ number }: LineToRun): Extract<LineOutcome, { kind: "answered" }> {
  const told = { statusCode: 400, requestId: `r-${number}`, body: '{"error":{"code":"no"}}' };
  return { kind: "answered", isKept: false, answered: told };
}

async function reach(control: BatchControl, step: BatchStep): Promise<void> {
  if (control.failsAt === step) {
    control.failsAt = null;
    control.hasArrived = true;
    throw new Error(`out of reach: ${step}`);
  }
  if (control.stopsAt !== step) return;
  control.stopsAt = null;
  control.hasArrived = true;
  await new Promise(() => undefined);
}

function nameOf({ number, attempt }: Pick<LineToRun, "number" | "attempt">): string {
  return `${number}/${attempt}`;
}

const controlOf = ({ owner }: BatchLife): BatchControl => batchControl(owner.tenant);

const parts: BatchParts = {
  async openInput(life) {
    const control = controlOf(life);
    await reach(control, "open");
    return control.input === null ? null : new Blob([control.input]).stream();
  },
  async readInput(life, at, length) {
    const control = controlOf(life);
    await reach(control, "read");
    const { input } = control;
    return input === null ? null : new TextEncoder().encode(input).subarray(at, at + length);
  },
  async modelFault(life, model) {
    await reach(controlOf(life), "model");
    return model === "m" ? null : { code: "model_not_found", message: "", param: "body.model" };
  },
  async run(life, line) {
    const control = controlOf(life);
    await reach(control, "ask");
    const name = nameOf(line);
    // What is asked directly is asked anew.
    const known = line.chargeId === null ? control.turns.get(name) : undefined;
    if (known !== undefined) return known;
    control.asked.push(name);
    const outcome = await control.answers(line);
    // Whoever was refused has no turn.
    if (outcome.kind === "answered" || outcome.kind === "again") control.turns.set(name, outcome);
    await reach(control, "asked");
    return outcome;
  },
  async find(life, line) {
    const control = controlOf(life);
    await reach(control, "find");
    if (chargePrefixOf(life.opening.endpoint) !== null)
      return { kind: "again", answered: refusedLine({ ...line, body: {}, chargeId: null }).answered };
    return control.turns.get(nameOf(line)) ?? null;
  },
  async forget(life, line) {
    const control = controlOf(life);
    await reach(control, "forget");
    control.forgotten.push(nameOf(line));
  },
  async pay(life, chargeId, debt) {
    const control = controlOf(life);
    await reach(control, "pay");
    control.paid.set(chargeId, [...(control.paid.get(chargeId) ?? []), debt]);
    await reach(control, "paid");
    const left = control.left(debt);
    return left === null ? null : { left, detail: "somebody has not heard" };
  },
  async keepFile(life, kind, texts) {
    const control = controlOf(life);
    await reach(control, `keep ${kind}`);
    control.files.set(kind, [...texts].join(""));
    await reach(control, `kept ${kind}`);
    return `file-${kind}`;
  },
  async dropFile(life, kind) {
    controlOf(life).files.delete(kind);
  },
  async holdPlaces(life, lines) {
    const { room } = controlOf(life);
    return lines <= room ? null : { code: "too_many_queued_requests", message: "", param: null };
  },
  async releasePlaces(life) {
    const control = controlOf(life);
    await reach(control, "release");
    control.released += 1;
  },
  async tellOver(life, what) {
    const control = controlOf(life);
    await reach(control, "tell");
    control.told.push(what);
    await reach(control, "told");
  },
  report: (detail) => {
    for (const control of controls.values()) control.reports.push(detail);
  },
  counted: () => undefined,
  ended: () => undefined,
};

export const ScriptedBatch = createBatchClass(() => parts);
