/**
 * One line of a batch whose endpoint has no durable turns: a plain completion, vectors, a verdict. Asked directly, inside the batch's object,
 * with the checks, screens, limits and prices of a request. What it comes to is told by nobody here: its batch keeps that with the answer, and
 * tells it (docs/decisions/0099).
 */
import { chargePrefixOf, type LineDebt, type UntoldDebt } from "../../src/shared/batches/line-debt.ts";
import type { ArchivedTurn } from "../../src/shared/archive/ports.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import type { VectorRoom } from "../../src/shared/batches/vector-room.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { BatchEndpoint } from "../../src/shared/contracts/batch.ts";
import { type ChargeId, type RequestId, tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import type { LeaveSignal } from "../../src/shared/contracts/leave-signal.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { type TurnUse, unused } from "../../src/shared/limits/ports.ts";
import { ChargeOwed, settleCharge } from "../../src/shared/limits/settle-charge.ts";
import { settlingBy } from "../../src/shared/limits/settling-by.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { logLine } from "../../src/shared/telemetry/request-record.ts";
import { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import { askedCompletion } from "../../src/shared/turn/asked-completion.ts";
import { openTurn } from "../../src/shared/turn/open-turn.ts";
import type { TurnDeps } from "../../src/shared/turn/ports.ts";
import { screenCompletion } from "../../src/shared/turn/screen-request.ts";
import { parseCompletionRequest } from "../../src/shared/wire/completions-request.ts";
import { answerEmbeddings, answerModeration, type DirectCall } from "./direct-answers.ts";
import { screenFrom } from "./fleet-moderator.ts";
import type { Isolate } from "./isolate.ts";
import { answerOpened, withClientsField } from "./run-direct.ts";
import type { TurnContext } from "./start-turn.ts";
import { WholeNotes } from "./whole-notes.ts";

export interface DirectLine {
  /** The answer, JSON. */
  readonly result: Result<string, Refusal>;
  readonly debt: LineDebt;
  /** Its record goes to the log and the metrics. Not called of a line that is to be asked again: it has not ended. */
  readonly finish: () => void;
}

export interface DirectTerms {
  readonly background: Background;
  readonly endpoint: BatchEndpoint;
  readonly chargeId: string;
  /** Its batch is gone. */
  readonly left: LeaveSignal;
  readonly room: VectorRoom;
}

export async function runDirectLine(
  from: TurnContext,
  terms: DirectTerms,
  body: Record<string, unknown>,
): Promise<DirectLine> {
  const { isolate } = from;
  const scope = scopeOf(from, terms.background);
  let use: TurnUse = unused;
  let archived: ArchivedTurn | null = null;
  const keepRow = (row: ArchivedTurn): void => {
    archived = { ...row, endpoint: terms.endpoint };
  };
  const call: DirectCall = {
    isolate,
    tenant: from.tenant,
    scope,
    client: terms.left,
    turn: () => turnOfDirect(from, terms.chargeId, scope),
    deps: (fleet) =>
      depsOf(isolate, fleet, terms.background, (came) => {
        use = came;
      }),
    keepRow,
  };
  const result = await answer(from, call, terms, body);
  if (result.ok) scope.record.status = 200;
  else scope.refuse(result.error);
  return { result, debt: { use, archived }, finish: () => scope.finish() };
}

async function answer(
  from: TurnContext,
  call: DirectCall,
  { endpoint, room }: DirectTerms,
  body: Record<string, unknown>,
): Promise<Result<string, Refusal>> {
  const text = JSON.stringify(body);
  switch (endpoint) {
    case "/v1/completions":
      return complete(from, call, text);
    case "/v1/embeddings": {
      const leave = await room.enter(inputsIn(body["input"]));
      try {
        return bodyOf(await answerEmbeddings(call, text));
      } finally {
        leave();
      }
    }
    case "/v1/moderations":
      return bodyOf(await answerModeration(call, text));
    case "/v1/chat/completions":
    case "/v1/responses":
      return err({ kind: "internal", detail: "a durable line was to be asked directly" });
  }
}

async function complete(from: TurnContext, call: DirectCall, text: string): Promise<Result<string, Refusal>> {
  const { tenant, scope, isolate, client, keepRow } = call;
  const read = parseCompletionRequest(text);
  scope.mark("validate");
  if (!read.ok) return read;
  const unscreened = askedCompletion(read.value);
  const screened = await screenCompletion(read.value, tenant, screenFrom(from, { asked: unscreened }));
  scope.mark("screen");
  if (!screened.ok) return err(withClientsField(screened.error, unscreened));
  const { request, findings } = screened.value;
  if (findings !== null) scope.record.screened = findings;
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return fleet;
  const asked = askedCompletion(request);
  const { note } = new WholeNotes(isolate, scope, keepRow);
  const deps = { ...call.deps(fleet.value), ledger: note };
  const opened = await openTurn({ ...call.turn("cmpl-"), asked }, deps, client);
  if (!opened.ok) return err(withClientsField(opened.error, asked));
  const answered = await answerOpened(opened.value, deps, { client, scope, isolate }, keepRow);
  if (!answered.ok) return err(withClientsField(answered.error, asked));
  return answered.value.kind === "json"
    ? ok(answered.value.body)
    : err({ kind: "internal", detail: "a line's answer streams" });
}

function bodyOf(answered: Result<{ readonly body: string }, Refusal>): Result<string, Refusal> {
  return answered.ok ? ok(answered.value.body) : answered;
}

/** Before its body is read: a list of token ids is one input. */
function inputsIn(input: unknown): number {
  return Array.isArray(input) && typeof input[0] !== "number" ? input.length : 1;
}

function scopeOf({ isolate, principal, requestId, traceparent }: TurnContext, background: Background) {
  const scope = new RequestScope({
    endpoint: "batch",
    method: "POST",
    correlation: { requestId: requestId as RequestId, traceId: traceparent.slice(3, 35), traceparent },
    background,
    clock: isolate.now,
    emit: (record, under) => {
      isolate.log.add(logLine(record), under, isolate.now());
      isolate.metrics.record(record, under);
    },
  });
  scope.record.tenant = principal.tenant;
  scope.record.org = principal.org;
  scope.record.tier = principal.tier;
  return scope;
}

function turnOfDirect(from: TurnContext, chargeId: string, scope: RequestScope) {
  const { principal, tenant, requestId, traceparent, place, startedMs } = from;
  return {
    principal,
    tenant,
    recall: null,
    ground: null,
    responseId: chargeId,
    chargeId: chargeId as ChargeId,
    requestId: requestId as RequestId,
    traceparent,
    place,
    cacheControl: null,
    createdMs: startedMs,
    yields: true,
    mark: (stage: Parameters<RequestScope["mark"]>[0]) => scope.mark(stage),
  };
}

function depsOf(
  isolate: Isolate,
  fleet: FleetIndex,
  background: Background,
  settle: (use: TurnUse) => void,
): TurnDeps {
  const deps = isolate.durableTurnDeps(fleet, background);
  return { ...deps, admission: settlingBy(deps.admission, settle) };
}

/** Tells both buckets what a line came to, then the archive. @returns what of it is to be told again; `null`: nothing */
export async function payLine(
  isolate: Isolate,
  background: Background,
  { owner, opening: { principal } }: BatchLife,
  chargeId: string,
  debt: LineDebt,
): Promise<UntoldDebt | null> {
  const { use, archived, owing } = debt;
  const id = tenantIdSchema.safeParse(owner.tenant);
  const tenant = id.success ? await isolate.tenants.byId(id.data, background) : ok(null);
  if (!tenant.ok) return { left: debt, detail: "the tenant's configuration can't be read" };
  // Its buckets went with it.
  if (tenant.value === null) return null;
  const { org, user, tier, key } = principal;
  const charge = { chargeId, tenant: tenant.value, org, user, tier, key };
  try {
    await settleCharge(isolate.callBucket, charge, use, owing);
  } catch (error) {
    if (!(error instanceof ChargeOwed)) throw error;
    return { left: { ...debt, owing: error.owing }, detail: error.message };
  }
  if (archived === null) return null;
  const outcome = await isolate.archive.turn(archived);
  return outcome.result === "unreachable"
    ? { left: { ...debt, owing: [] }, detail: `archive: ${outcome.detail}` }
    : null;
}

/** Whether lines of that endpoint are asked directly. */
export function isDirect(endpoint: BatchEndpoint): boolean {
  return chargePrefixOf(endpoint) !== null;
}
