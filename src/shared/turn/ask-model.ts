/**
 * One question that the service itself asks a model: a turn like any other (planned, admitted, guarded, settled), except that no client
 * waits for it and its answer is used internally.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { Background } from "../contracts/background.ts";
import type { ChargeId, RequestId } from "../contracts/ids.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { ChatMessage } from "../wire/chat-messages.ts";
import { answerDirect, type TurnEnding } from "./answer-direct.ts";
import { askedChat } from "./asked-chat.ts";
import { openTurn, type LiveTurn } from "./open-turn.ts";
import type { TurnDeps } from "./ports.ts";

export interface ModelQuestion {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  /** 32 hexadecimal digits, new with every question: names its charge, its request and its trace. */
  readonly id: string;
}

/** @param onEnd called once for a turn that an engine answered, after its settlement: it was charged, so it is recorded like any other */
export async function askModel(
  question: ModelQuestion,
  deps: TurnDeps,
  background: Background,
  signal: LeaveSignal,
  onEnd: (turn: LiveTurn, ending: TurnEnding) => void,
): Promise<Result<string, Refusal>> {
  const { principal, tenant, model, messages, maxTokens, id } = question;
  const opened = await openTurn(
    {
      principal,
      tenant,
      asked: askedChat({ model, messages, max_completion_tokens: maxTokens, temperature: 0 }),
      recall: null,
      ground: null,
      responseId: `chatcmpl-${id}`,
      chargeId: id as ChargeId,
      requestId: `req_${id}` as RequestId,
      traceparent: `00-${id}-${id.slice(0, 16)}-01`,
      place: {},
      cacheControl: "no-store",
      createdMs: deps.now(),
      mark: () => undefined,
    },
    deps,
    signal,
  );
  if (!opened.ok) return opened;
  if (opened.value.kind === "cached")
    return err({ kind: "internal", detail: "a question of our own came from the cache" });
  const turn = opened.value;
  const ended = (ending: TurnEnding): void => onEnd(turn, ending);
  const answered = await answerDirect(turn, deps, { background, onEnd: ended }, signal);
  if (!answered.ok) return answered;
  if (answered.value.kind !== "json") return err({ kind: "internal", detail: "an answer that streams" });
  return textOf(answered.value.body);
}

/** @param body the whole answer, JSON. There is none if the tenant's policy for answers stopped it: half a summary would stand for the whole conversation */
export function textOf(body: string): Result<string, Refusal> {
  const { choices } = JSON.parse(body) as {
    readonly choices: readonly {
      readonly message: { readonly content: string | null };
      readonly finish_reason: string;
    }[];
  };
  const [choice] = choices;
  return choice?.finish_reason === "content_filter"
    ? err({ kind: "content-refused", categories: [] })
    : ok(choice?.message.content ?? "");
}
