/**
 * One line of a batch, with the checks, screens, policies, limits and charges of a request, on behalf of the batch's creator: as a durable
 * turn, which is claimed by batch and line so that it is found again after a kill (line-turn.ts), or directly (direct-line.ts).
 */
import type { LineOutcome, LineToRun } from "../../durable-objects/batch/batch-parts.ts";
import { filesOfChat, withFileTexts } from "../../src/shared/attachments/chat-files.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import { claimTextOf, lineKeptMs, requestIdOf } from "../../src/shared/batches/line-name.ts";
import { lineFate } from "../../src/shared/batches/line-fate.ts";
import type { AnsweredLine } from "../../src/shared/batches/result-line.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import { tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import { withObjectField, type Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { retrievalWish } from "../../src/shared/grounding/retrieval-wish.ts";
import { isStillGranted } from "../../src/shared/identity/still-granted.ts";
import { askedResponseRefusal } from "../../src/shared/responses/response-refusal.ts";
import { storedResponse } from "../../src/shared/responses/stored-response.ts";
import { correlate, randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { lineClaim, type TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { revivePrincipal, turnPolicy } from "../../src/shared/turn/durable/turn-request.ts";
import { askedChat } from "../../src/shared/turn/asked-chat.ts";
import { screenChat } from "../../src/shared/turn/screen-request.ts";
import { parseChatRequest } from "../../src/shared/wire/chat-request.ts";
import { checkMedia } from "../../src/shared/wire/media.ts";
import { parseResponseRequest } from "../../src/shared/wire/responses-request.ts";
import { unsupportedParameter } from "../../src/shared/wire/zod-refusal.ts";
import { attachTurn, mayBeThere } from "./attach-turn.ts";
import { readAttachedFiles } from "./attached-files.ts";
import { chatTools } from "./chat-tools.ts";
import { createResponse } from "./create-response.ts";
import { type DirectLine, type DirectTerms, runDirectLine } from "./direct-line.ts";
import { screenFrom } from "./fleet-moderator.ts";
import { unknownStore } from "./grounding-parts.ts";
import type { Isolate } from "./isolate.ts";
import { judgedRequest, type JudgedRequest } from "./judged-request.ts";
import { endedOutcome, told } from "./line-turn.ts";
import { ownerOf } from "./run-durable.ts";
import { startTurn, type TurnContext, type TurnStarted } from "./start-turn.ts";

/** The outcome of starting a line. */
interface LineTurn {
  readonly outcome: TurnStarted["outcome"];
  /** The refusal as the line's endpoint words it. */
  readonly worded: (refusal: Refusal) => Refusal;
  readonly body: (response: string) => string;
  /** The client wants the answer stored under its id. */
  readonly isKept: boolean;
}

/** Rejects where the turn's object could not be asked: it may be there. */
export async function runLine(
  isolate: Isolate,
  background: Background,
  life: BatchLife,
  line: LineToRun,
  ways: Pick<DirectTerms, "left" | "room">,
): Promise<LineOutcome> {
  const requestId = requestIdOf(life.id, line.number);
  const refused = (refusal: Refusal): AnsweredLine => told(refusal, requestId);
  const tenant = await batchTenant(isolate, background, life);
  if (!tenant.ok) return tenant.error;
  const sender = { isolate, principal: revivePrincipal(life.opening.principal), tenant: tenant.value };
  const judged = judgedRequest(sender, background);
  const from: TurnContext = {
    ...sender,
    place: life.opening.place,
    requestId,
    traceparent: correlate({ requestId: null, correlationId: null, traceparent: null }, randomHex)
      .traceparent,
    startedMs: isolate.now(),
    yields: true,
    judged,
  };
  const out = refusedInBatches(line.body);
  if (out !== null) return fateOf(out, refused);
  const { chargeId } = line;
  if (chargeId !== null) {
    const { endpoint } = life.opening;
    const direct = await runDirectLine(from, { ...ways, background, endpoint, chargeId }, line.body);
    return directOutcome(direct, requestId, judged, refused);
  }
  const claim = lineClaim(claimTextOf(life.id, line.number, line.attempt), lineKeptMs);
  const started = await startLine(from, life, line.body, claim);
  if (!started.ok) {
    // The turn's object could not be reached and may have the turn. Other objects are asked before there is a turn.
    if (started.error.kind === "dependency-unavailable" && started.error.component === "generation")
      throw new Error(started.error.detail);
    if (refused(started.error).statusCode < 500) judged.inVain();
    return fateOf(started.error, refused);
  }
  const { outcome, worded, body, isKept } = started.value;
  switch (outcome.result) {
    case "refused":
      return fateOf(worded(outcome.refusal), refused);
    case "ended": {
      const { response, status } = outcome;
      const shown = response === null ? null : body(response);
      return endedOutcome(shown, status, isKept, requestId, (refusal) => refused(worded(refusal)));
    }
    case "stream":
    case "claimed":
      return { kind: "again", answered: refused({ kind: "internal", detail: "a line was not waited for" }) };
  }
}

function directOutcome(
  { result, debt, finish }: DirectLine,
  requestId: string,
  judged: JudgedRequest,
  refused: (refusal: Refusal) => AnsweredLine,
): LineOutcome {
  if (result.ok) {
    finish();
    return {
      kind: "answered",
      isKept: true,
      debt,
      answered: { statusCode: 200, requestId, body: result.value },
    };
  }
  if (refused(result.error).statusCode < 500) judged.inVain();
  // An answer that broke off counts as a request, so that it is not asked for without end.
  const broke = debt.use.requests > 0 && lineFate(result.error).kind === "wait";
  const fate: LineOutcome = broke
    ? { kind: "again", answered: refused(result.error) }
    : fateOf(result.error, refused);
  if (fate.kind !== "wait") finish();
  return fate.kind === "answered" ? { ...fate, isKept: true, debt } : fate;
}

/** The tenant as configured now. */
async function batchTenant(
  isolate: Isolate,
  background: Background,
  { owner, opening }: BatchLife,
): Promise<Result<TenantConfig, LineOutcome>> {
  const id = tenantIdSchema.safeParse(owner.tenant);
  const found = id.success ? await isolate.tenants.byId(id.data, background) : ok(null);
  if (!found.ok) return err({ kind: "wait", retryAfterMs: unreadableMs });
  const tenant = found.value;
  if (tenant === null) return err(stopped("tenant_gone", "The tenant does not exist any more."));
  if (tenant.batches.mode === "off")
    return err(stopped("batches_off", "The tenant allows no batches any more."));
  if (!isStillGranted(revivePrincipal(opening.principal), tenant)) return err(notGranted);
  return ok(tenant);
}

async function startLine(
  from: TurnContext,
  { opening }: BatchLife,
  body: Record<string, unknown>,
  claim: TurnClaim,
): Promise<Result<LineTurn, Refusal>> {
  const text = JSON.stringify(body);
  return opening.endpoint === "/v1/responses"
    ? startResponse(from, text, claim)
    : startChat(from, text, claim);
}

async function startChat(
  from: TurnContext,
  text: string,
  claim: TurnClaim,
): Promise<Result<LineTurn, Refusal>> {
  const { isolate, tenant } = from;
  const parsed = parseChatRequest(text);
  if (!parsed.ok) return parsed;
  const media = checkMedia(parsed.value, tenant.media);
  if (!media.ok) return media;
  const { messages, store } = parsed.value;
  const isKept = store === true;
  const policy = turnPolicy(tenant, isKept, claim.keptMs);
  const files = filesOfChat(messages);
  const asLine = (turn: TurnStarted): LineTurn => ({
    outcome: turn.outcome,
    isKept,
    body: (response) => response,
    worded: (refusal) => refusal,
  });
  if (mayBeThere(claim, tenant, files.length > 0)) {
    const before = await attachTurn(from, { kind: "chat", claim, policy, follow: { kind: "end" } });
    if (!before.ok) return before;
    if (before.value !== null) return ok(asLine(before.value));
  }
  const texts = await readAttachedFiles(from, files);
  if (!texts.ok) return texts;
  const chat = { ...parsed.value, messages: withFileTexts(messages, texts.value) };
  const wish = retrievalWish(chat.retrieval, tenant);
  const unknown = wish === null ? null : await unknownStore(isolate, ownerOf(from), wish);
  if (unknown !== null) return err(unknown);
  const offering = chatTools(tenant, chat);
  if (offering?.ok === false) return offering;
  const asked = askedChat(offering?.value.chat ?? chat);
  const screened = await screenChat(chat, tenant, screenFrom(from, { asked }));
  if (!screened.ok) return screened;
  const { request, findings } = screened.value;
  const tools = request === chat ? offering : chatTools(tenant, request);
  if (tools?.ok === false) return tools;
  const started = await startTurn(from, {
    kind: "chat",
    chat: tools?.value.chat ?? request,
    tools: tools?.value.offered ?? null,
    conversationId: undefined,
    claim,
    screened: findings,
    policy,
    follow: { kind: "end" },
  });
  return started.ok ? ok(asLine(started.value)) : started;
}

async function startResponse(
  from: TurnContext,
  text: string,
  claim: TurnClaim,
): Promise<Result<LineTurn, Refusal>> {
  const parsed = parseResponseRequest(text);
  if (!parsed.ok) return parsed;
  const request = parsed.value;
  const worded = (refusal: Refusal): Refusal =>
    withObjectField(askedResponseRefusal(refusal, request), undefined);
  const created = await createResponse(from, request, claim, { kind: "end" });
  if (!created.ok) return err(worded(created.error));
  const { outcome } = created.value.started;
  return ok({ outcome, isKept: request.store !== false, body: storedResponse, worded });
}

/** Lines run at the same time, in no order, and the batch waits for them. */
const notInBatches: Readonly<Record<string, string>> = {
  stream: "can't be used in a batch: answers lie in its files",
  background: "can't be used in a batch, which runs in the background itself",
  conversation_id: "can't be used in a batch: its requests are answered in no order",
  conversation: "can't be used in a batch: its requests are answered in no order",
};

function refusedInBatches(body: Record<string, unknown>): Refusal | null {
  for (const [field, why] of Object.entries(notInBatches))
    if (body[field] !== undefined && body[field] !== null && body[field] !== false)
      return unsupportedParameter(field, why);
  return null;
}

function fateOf(refusal: Refusal, refused: (refusal: Refusal) => AnsweredLine): LineOutcome {
  const fate = lineFate(refusal);
  switch (fate.kind) {
    case "wait":
      return fate;
    case "again":
      return { kind: "again", answered: refused(refusal) };
    case "fail":
      return { kind: "answered", isKept: false, answered: refused(refusal) };
    case "stop":
      return notGranted;
  }
}

function stopped(code: string, message: string): LineOutcome {
  return { kind: "stop", code, message };
}

const notGranted = stopped(
  "credential_revoked",
  "The credential that the batch was made with is revoked, or no longer granted what the batch needs.",
);

/** The tenant's configuration can't be read. */
const unreadableMs = 5_000;
