import { DurableObject } from "cloudflare:workers";
import {
  type AttachOutcome,
  type AttachTurn,
  type CancelOutcome,
  type CancelTurn,
  type DeleteTurn,
  type DeleteTurnOutcome,
  type EndStatus,
  type GenerationFailure,
  generationVersion,
  type HoldOutcome,
  type HoldTurn,
  type MessagesOfTurn,
  type MessagesOutcome,
  type ReadOutcome,
  type ReadTurn,
  type RetrieveOutcome,
  type RetrieveTurn,
  type StartOutcome,
  type StartTurn,
  type UpdateTurn,
  type UpdateTurnOutcome,
} from "../../src/shared/contracts/generation.ts";
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";
import { decideStart } from "../../src/shared/turn/durable/turn-state.ts";
import type { GenerationParts } from "./generation-parts.ts";
import type { TextName } from "./turn-content.ts";
import { TurnKeeper } from "./turn-keeper.ts";
import type { Turn } from "./turn-value.ts";

/**
 * One durable turn: claimed once, run here, journalled, and ended once, however many clients read it. This shell checks the caller and the message's
 * version, and answers; everything else is in turn-keeper.ts.
 *
 * A factory, so that the composition root supplies the pipeline and imports stay directed. Only public methods can be called over RPC.
 *
 * @param compose called once for each instance, when a run, an end or a delivery first needs it
 */
export function createGenerationClass(
  compose: (env: Cloudflare.Env, context: DurableObjectState) => GenerationParts,
): GenerationClass {
  return class Generation extends DurableObject implements GenerationMethods {
    readonly #keeper: TurnKeeper;

    constructor(context: DurableObjectState, env: Cloudflare.Env) {
      super(context, env);
      this.#keeper = new TurnKeeper(context, () => compose(env, context));
    }

    /** Starts the object before there is a turn for it. If none comes, it deletes itself. */
    async prepare(): Promise<void> {
      await this.#keeper.prepare();
    }

    async start(message: StartTurn): Promise<StartOutcome> {
      const decision = this.#decide(message);
      if (typeof decision !== "string") return decision;
      // Nothing awaits from the decision to the claim, so that two starts at once are one run.
      if (decision === "claim") {
        if (message.request.length > maxRequestUnits)
          return { result: "too-large", maxBytes: maxRequestUnits };
        this.#keeper.claim(message);
      }
      return this.#follow(message, decision === "attach");
    }

    /** As `start` attaches to a turn that is there already; but where there is none, none begins. */
    async attach(message: AttachTurn): Promise<AttachOutcome> {
      const decision = this.#decide(message);
      if (typeof decision !== "string") return decision;
      return decision === "claim" ? { result: "absent" } : this.#follow(message, true);
    }

    read(message: ReadTurn): ReadOutcome {
      const access = this.#access(message);
      if (access.turn === null) return access.failure;
      if (access.turn.refusal !== null) return unknown;
      if (access.turn.pruned) return { result: "pruned" };
      return this.#keeper.canRead(message.read)
        ? { result: "stream", headers: this.#keeper.headers(), stream: this.#keeper.read(message.read) }
        : { result: "position-unknown" };
    }

    retrieve(message: RetrieveTurn): RetrieveOutcome | Promise<RetrieveOutcome> {
      return this.#with("response", message, ({ status, createdMs, endedMs }): RetrieveOutcome => {
        if (status === "refused") return unknown;
        if (status === "running" || endedMs === null)
          return { result: "running", createdMs, response: this.#keeper.running() };
        const { receipt } = this.#keeper;
        return { result: "ended", status, createdMs, endedMs, response: this.#keeper.response(), receipt };
      });
    }

    /** Ends the turn now, with what was delivered so far; the origin is aborted. Once: later ones change nothing. */
    cancel(message: CancelTurn): CancelOutcome | Promise<CancelOutcome> {
      return this.#with("response", message, (turn): CancelOutcome => {
        if (turn.status === "refused") return unknown;
        const changed = turn.status === "running";
        if (changed) this.#keeper.interrupt("cancelled", null);
        const status = endStatus(this.#keeper.turn) ?? "cancelled";
        return { result: "ended", changed, status, response: this.#keeper.response() };
      });
    }

    /** The response of an ended turn stays at least until then, unless it is deleted. */
    hold(message: HoldTurn): HoldOutcome {
      const access = this.#access(message);
      if (access.turn === null) return access.failure;
      if (endStatus(access.turn) === null) return unknown;
      this.#keeper.hold(message.untilMs);
      return { result: "held" };
    }

    /** Changes the metadata. The owner's list follows. */
    update(message: UpdateTurn): UpdateTurnOutcome | Promise<UpdateTurnOutcome> {
      return this.#with("response", message, (turn): UpdateTurnOutcome => {
        if (turn.status === "running") return { result: "running" };
        const response = this.#keeper.update(message.metadata);
        return response === null ? unknown : { result: "updated", response };
      });
    }

    /** What a listed turn was asked with. */
    messages(message: MessagesOfTurn): MessagesOutcome | Promise<MessagesOutcome> {
      return this.#with("request", message, (turn): MessagesOutcome => {
        if (turn.status === "running") return { result: "running" };
        const { after, limit, order } = message;
        const asked = this.#keeper.asked({ after, limit, order });
        if (asked === null) return unknown;
        const { messages, hasMore } = asked;
        return messages === null ? { result: "after-unknown" } : { result: "ok", messages, hasMore };
      });
    }

    /** Cancels the turn if it runs, and forgets its content. What it owes others is still delivered. */
    async delete(message: DeleteTurn): Promise<DeleteTurnOutcome> {
      const access = this.#access(message);
      if (access.turn === null) return access.failure;
      const { status, createdMs } = access.turn;
      if (status === "refused" || createdMs > (message.madeThroughMs ?? Infinity)) return unknown;
      await this.#keeper.forget();
      return { result: "deleted" };
    }

    override async alarm(): Promise<void> {
      await this.#keeper.onAlarm();
    }

    /** Whether the message would begin the turn or joins it; else the answer to it. */
    #decide(message: AttachTurn) {
      if (message.v !== generationVersion) return unsupported;
      this.#keeper.recover();
      const decision = decideStart(this.#keeper.turn, message, Date.now());
      if (decision === "claim" || decision === "attach") return decision;
      if (decision === "expired") this.#keeper.outlive(message.policy);
      return { result: decision } as const;
    }

    async #follow({ follow }: Pick<StartTurn, "follow">, attached: boolean): Promise<StartOutcome> {
      if (follow.kind === "claim") return { result: "claimed", attached };
      await this.#keeper.reached(follow.kind === "stream" ? "opened" : "ended");
      const { turn } = this.#keeper;
      const refusal = turn?.refusal ?? this.#keeper.lastRefusal;
      if (turn === null || turn.refusal !== null)
        return refusal === null
          ? unknown
          : { result: "refused", attached, headers: this.#keeper.headers(), refusal };
      const headers = this.#keeper.headers();
      const status = endStatus(turn);
      if (follow.kind === "stream" && !turn.pruned) {
        const read = attached ? follow.read : { ...follow.read, from: 0 };
        if (!this.#keeper.canRead(read)) return { result: "position-unknown" };
        return { result: "stream", attached, headers, stream: this.#keeper.read(read) };
      }
      if (status === null) return unknown;
      const fetching = this.#keeper.fetched("response");
      if (fetching !== null) await fetching;
      return { result: "ended", attached, headers, status, response: this.#keeper.response() };
    }

    /**
     * Answers with one of the turn's texts at hand, wherever it lies; at once if it lies here. Rejects if it can't be fetched: an
     * outcome would be unknown to older callers, who take a rejection for an object out of reach.
     */
    #with<Outcome>(
      name: TextName,
      message: Asking,
      answer: (turn: Turn) => Outcome,
    ): Outcome | GenerationFailure | Promise<Outcome | GenerationFailure> {
      const access = this.#access(message);
      if (access.turn === null) return access.failure;
      const fetching = this.#keeper.fetched(name);
      // It may have been deleted or changed meanwhile.
      return fetching === null ? answer(access.turn) : fetching.then(() => this.#with(name, message, answer));
    }

    #access(message: Asking): TurnAccess {
      if (message.v !== generationVersion) return { turn: null, failure: unsupported };
      this.#keeper.recover();
      const { turn } = this.#keeper;
      return turn !== null && sameOwner(turn.owner, message.owner)
        ? { turn }
        : { turn: null, failure: unknown };
    }
  };
}

interface Asking {
  readonly v: number;
  readonly owner: Owner;
}

type TurnAccess = { readonly turn: Turn } | { readonly turn: null; readonly failure: GenerationFailure };

/** What can be asked of the object over RPC. */
export interface GenerationMethods {
  prepare(): Promise<void>;
  start(message: StartTurn): Promise<StartOutcome>;
  attach(message: AttachTurn): Promise<AttachOutcome>;
  read(message: ReadTurn): ReadOutcome;
  retrieve(message: RetrieveTurn): RetrieveOutcome | Promise<RetrieveOutcome>;
  cancel(message: CancelTurn): CancelOutcome | Promise<CancelOutcome>;
  hold(message: HoldTurn): HoldOutcome;
  update(message: UpdateTurn): UpdateTurnOutcome | Promise<UpdateTurnOutcome>;
  messages(message: MessagesOfTurn): MessagesOutcome | Promise<MessagesOutcome>;
  delete(message: DeleteTurn): Promise<DeleteTurnOutcome>;
}

export type GenerationObject = DurableObject & GenerationMethods;
export type GenerationClass = new (context: DurableObjectState, env: Cloudflare.Env) => GenerationObject;

/** A request is one RPC message of 32 MiB at most, in which a UTF-16 unit may take two bytes; and it is in memory twice. */
const maxRequestUnits = 12_000_000;

const unknown = { result: "unknown" } as const;
const unsupported = { result: "version-unsupported", supported: generationVersion } as const;

function endStatus(turn: Turn | null): EndStatus | null {
  return turn === null || turn.status === "running" || turn.status === "refused" ? null : turn.status;
}
