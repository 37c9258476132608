/**
 * The endpoints that answer whole and keep nothing: texts to vectors, texts judged. From a body to what came of it, for whoever asks: a request,
 * and a line of a batch. The record says who answered.
 */
import type { LeaveSignal } from "../../src/shared/contracts/leave-signal.ts";
import { withPromptField, type Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { Reservation } from "../../src/shared/limits/ports.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { embed } from "../../src/shared/turn/embed.ts";
import { moderate } from "../../src/shared/turn/moderate.ts";
import type { TurnDeps, ValidatedTurn } from "../../src/shared/turn/ports.ts";
import { screenEmbedding, screenModeration, type Screened } from "../../src/shared/turn/screen-request.ts";
import { parseEmbeddingRequest } from "../../src/shared/wire/embeddings-request.ts";
import { moderationObject } from "../../src/shared/wire/moderation-object.ts";
import { parseModerationRequest } from "../../src/shared/wire/moderations-request.ts";
import type { KeepRow } from "./direct-notes.ts";
import type { TenantCall } from "./handle.ts";
import type { Isolate } from "./isolate.ts";
import { turnOf } from "./turn-of.ts";
import { WholeNotes } from "./whole-notes.ts";

export interface DirectCall {
  readonly isolate: Isolate;
  readonly tenant: TenantConfig;
  readonly scope: RequestScope;
  readonly client: LeaveSignal;
  /** @param prefix of its charge's id */
  readonly turn: (prefix: string) => Omit<ValidatedTurn, "asked">;
  readonly deps: (fleet: FleetIndex) => TurnDeps;
  /** Brings the row of what was charged to the archive. */
  readonly keepRow: KeepRow;
}

export interface DirectAnswer {
  /** JSON. */
  readonly body: string;
  readonly reservation: Reservation;
}

/** A request as whoever answers it sees it. */
export function directCallOf(call: TenantCall): DirectCall {
  const { isolate, tenant, scope, client } = call;
  return {
    isolate,
    tenant,
    scope,
    client,
    turn: (prefix) => turnOf(call, `${prefix}${randomHex(16)}`),
    deps: (fleet) => isolate.turnDeps(fleet, scope.background),
    keepRow: (row) => isolate.directRows.add(row, scope.background),
  };
}

export async function answerEmbeddings(
  call: DirectCall,
  text: string,
): Promise<Result<DirectAnswer, Refusal>> {
  const { isolate, tenant, scope, client } = call;
  const asked = await toAsk(call, parseEmbeddingRequest(text), "emb-", (request) =>
    screenEmbedding(request, tenant, isolate.screen),
  );
  if (!asked.ok) return asked;
  const { turn, request, deps, notes } = asked.value;
  const embedded = await embed(turn, request, deps, client);
  if (!embedded.ok) return err(withPromptField(embedded.error, "input"));
  const { body, model, answer, attempts, tried, usage, reservation } = embedded.value;
  const { record } = scope;
  record.model = model;
  record.cluster = answer.cluster;
  record.replica = answer.replica;
  record.attempts = attempts;
  if (tried !== undefined) record.tried = tried;
  record.promptTokens = usage.promptTokens;
  record.cachedTokens = usage.cachedTokens;
  return ok({ body: await notes.seal(body), reservation });
}

export async function answerModeration(
  call: DirectCall,
  text: string,
): Promise<Result<DirectAnswer, Refusal>> {
  const { isolate, tenant, scope, client } = call;
  const asked = await toAsk(call, parseModerationRequest(text), "modr-", (request) =>
    screenModeration(request, tenant, isolate.screen),
  );
  if (!asked.ok) return asked;
  const { turn, request, deps, notes } = asked.value;
  const moderated = await moderate(turn, request, deps, client);
  if (!moderated.ok) return err(withPromptField(moderated.error, "input"));
  const { results, model, usage, answer, reservation } = moderated.value;
  const { record } = scope;
  if (usage !== null) {
    record.model = model;
    record.promptTokens = usage.promptTokens;
    record.completionTokens = usage.completionTokens;
    record.cachedTokens = usage.cachedTokens;
  }
  if (answer !== null) {
    record.cluster = answer.cluster;
    record.replica = answer.replica;
    record.attempts = answer.attempts;
    if (answer.tried !== undefined) record.tried = answer.tried;
  }
  const body = JSON.stringify(moderationObject(turn.responseId, model, results));
  return ok({ body: await notes.seal(body), reservation });
}

interface ToAsk<Request> {
  readonly turn: Omit<ValidatedTurn, "asked">;
  readonly request: Request;
  readonly deps: TurnDeps;
  readonly notes: WholeNotes;
}

async function toAsk<Request>(
  { scope, turn, deps, isolate, keepRow }: DirectCall,
  read: Result<Request, Refusal>,
  prefix: string,
  screen: (request: Request) => Promise<Result<Screened<Request>, Refusal>>,
): Promise<Result<ToAsk<Request>, Refusal>> {
  scope.mark("validate");
  if (!read.ok) return read;
  const screened = await screen(read.value);
  scope.mark("screen");
  if (!screened.ok) return screened;
  const { request, findings } = screened.value;
  if (findings !== null) scope.record.screened = findings;
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return fleet;
  const notes = new WholeNotes(isolate, scope, keepRow);
  return ok({
    turn: turn(prefix),
    request,
    deps: { ...deps(fleet.value), ledger: notes.note },
    notes,
  });
}
