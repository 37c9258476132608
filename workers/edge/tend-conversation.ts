/**
 * What is generated for a conversation after a turn was saved, if the tenant names models for it: a title after the first turn, and a
 * summary of the part that will soon not fit. No answer waits for it; a failure is retried after the next turn.
 */
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import { conversationVersion } from "../../src/shared/contracts/conversation.ts";
import { tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { askModel } from "../../src/shared/turn/ask-model.ts";
import {
  summaryQuestion,
  summaryTokens,
  titleOfAnswer,
  titleQuestion,
  titleTokens,
} from "../../src/shared/turn/durable/conversation-summary.ts";
import type { Effect } from "../../src/shared/turn/durable/ports.ts";
import { revivePrincipal } from "../../src/shared/turn/durable/turn-request.ts";
import { planModel } from "../../src/shared/turn/plan.ts";
import type { ChatMessage } from "../../src/shared/wire/chat-messages.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { Isolate } from "./isolate.ts";
import { noteOwnTurn } from "./note-own-turn.ts";

type Append = Extract<Effect, { kind: "append" }>;

export async function tendConversation(
  isolate: Isolate,
  effect: Append,
  background: Background,
): Promise<void> {
  const { chores, owner } = effect;
  if (chores === undefined || effect.items.length === 0) return;
  const id = tenantIdSchema.safeParse(owner.tenant);
  const tenant = id.success ? await isolate.tenants.byId(id.data, background) : null;
  const fleet = await isolate.fleet.current(background);
  if (tenant?.ok !== true || tenant.value === null || !fleet.ok) return;
  const tending = new Tending(isolate, effect, chores, tenant.value, fleet.value, background);
  await tending.nameIt();
  await tending.shortenIt();
}

/** UTF-16 units of an item for a token: its text and the JSON around it. */
const unitsPerToken = 5;
/** Of the window of the model that answers: from here on it is put in short, down to there. Before anything is cut. */
const summariseFrom = 0.6;
const summariseTo = 0.25;
/** Of the window of the model that summarises. */
const readAtOnce = 0.6;
/** The most of it that what was said may be, by the estimate of its tokens: the rest is for the summary before, the frame and the answer. */
const mostRead = 0.75;
const timeoutMs = 120_000;

class Tending {
  readonly #isolate: Isolate;
  readonly #effect: Append;
  readonly #chores: NonNullable<Append["chores"]>;
  readonly #tenant: TenantConfig;
  readonly #fleet: FleetIndex;
  readonly #background: Background;

  constructor(
    isolate: Isolate,
    effect: Append,
    chores: NonNullable<Append["chores"]>,
    tenant: TenantConfig,
    fleet: FleetIndex,
    background: Background,
  ) {
    this.#isolate = isolate;
    this.#effect = effect;
    this.#chores = chores;
    this.#tenant = tenant;
    this.#fleet = fleet;
    this.#background = background;
  }

  async nameIt(): Promise<void> {
    const { title_model: model } = this.#tenant.conversations;
    if (model === null) return;
    const described = await this.#conversation().describe(this.#asking());
    if (described.result !== "ok" || described.titleBy === "user" || described.titleBy === "model") return;
    const answer = await this.#ask(model, titleQuestion(this.#effect.items), titleTokens);
    const title = answer === null ? null : titleOfAnswer(answer);
    const { incarnation } = this.#effect;
    if (title !== null)
      await this.#conversation().update({ ...this.#asking(), title, titleBy: "model", incarnation });
  }

  async shortenIt(): Promise<void> {
    const { summary_model: model } = this.#tenant.conversations;
    if (model === null) return;
    const window = this.#windowOf(this.#chores.model);
    const reading = this.#windowOf(model);
    if (window === null || reading === null) return;
    const found = await this.#conversation().summaryWork({
      ...this.#asking(),
      afterUnits: Math.floor(window * summariseFrom * unitsPerToken),
      keepUnits: Math.floor(window * summariseTo * unitsPerToken),
      mostUnits: Math.floor(reading * readAtOnce * unitsPerToken),
    });
    if (found.result !== "ok") return;
    const { incarnation, previous, previousThrough, items, through } = found.work;
    const text = await this.#ask(model, summaryQuestion(previous, items, reading * mostRead), summaryTokens);
    if (text === null || text.trim() === "") return;
    await this.#conversation().saveSummary({
      ...this.#asking(),
      incarnation,
      previousThrough,
      through,
      text: text.trim(),
      itemCount: items.length,
    });
  }

  async #ask(model: string, messages: readonly ChatMessage[], maxTokens: number): Promise<string | null> {
    const answer = await askModel(
      {
        principal: revivePrincipal(this.#chores.principal),
        tenant: this.#tenant,
        model,
        messages,
        maxTokens,
        id: randomHex(16),
      },
      this.#isolate.durableTurnDeps(this.#fleet, this.#background),
      this.#background,
      AbortSignal.timeout(timeoutMs),
      (turn, ending) => noteOwnTurn(this.#isolate, turn, ending, this.#fleet, this.#background),
    );
    if (answer.ok) return answer.value;
    this.#isolate.report("conversation-chore", `${model}: ${answer.error.kind}`);
    return null;
  }

  /** Tokens; `null`: no such model, or not for this tenant. */
  #windowOf(model: string): number | null {
    const caller = { principal: revivePrincipal(this.#chores.principal) };
    const plan = planModel(this.#fleet, this.#tenant, model, ["chat"], caller);
    return plan.ok ? plan.value[0].variant.record.context_window : null;
  }

  #conversation() {
    const { env } = this.#isolate;
    const { jurisdiction, objectName } = this.#effect;
    return inJurisdiction(env.CONVERSATION, jurisdiction, env.ENVIRONMENT).getByName(objectName);
  }

  #asking() {
    return { v: conversationVersion, owner: this.#effect.owner } as const;
  }
}
