import type { ArchivedCharge, ArchivedTurn } from "../../archive/ports.ts";
import type { EndStatus } from "../../contracts/generation.ts";
import type { NewItem } from "../../contracts/conversation.ts";
import type { Jurisdiction, Owner } from "../../contracts/owner.ts";
import type { Refusal } from "../../contracts/refusal.ts";
import type { Usage, UsageBasis } from "../../contracts/usage.ts";
import type { Principal } from "../../identity/principal.ts";
import type { Progress } from "./progress.ts";
import type { SerialPrincipal } from "./turn-request.ts";
import type { LimitScope } from "../../limits/bucket-name.ts";
import type { Tier } from "../../limits/tier.ts";

/**
 * What a Generation object needs of the pipeline: it emits journal events and one end. The object knows
 * nothing of chat, models or limits; the pipeline knows nothing of journals, alarms or readers.
 */
export interface TurnRunner {
  /**
   * Runs the turn's stages once. Emits what readers may see (behind the guard), and returns the end. It must not write
   * to buckets, conversations or caches at its end: such writes go out as `effects`, each applied exactly once.
   * When `signal` fires (cancel, deadline) the object has ended the turn already: abort the origin; what is then returned or
   * thrown is ignored.
   *
   * @param request the `TurnRequest` as JSON, as it was handed to `start`
   */
  run(request: string, io: TurnIo, signal: AbortSignal): Promise<TurnOutcome>;

  /**
   * Whether a turn whose run was lost (eviction, crash, deploy) can go on where its journal ends, and how. `null`: it can't,
   * and `interrupted` says how it ends. The decision is pure and synchronous; the work is what it returns, with the terms of
   * `run`: it emits what comes behind the journal, and its outcome's usage is that of the whole turn.
   */
  resume?(request: string, lost: LostRun): TurnWork | null;

  /**
   * The end of a turn that its run did not end: its memory was lost, it threw, its deadline passed, or it was cancelled.
   * Pure and synchronous: from the request and what the journal shows was delivered. Before the first event it may
   * answer `refused`, so that nothing is kept and a retry is a new turn; a cancelled turn is kept, so that later requests learn of it.
   */
  interrupted(request: string, interruption: Interruption): TurnOutcome;

  /** What `retrieve` shows of the turn while it runs; `null`: nothing. Pure. */
  running?(request: string): string | null;

  /** A page of the messages that a listed turn was asked with. Pure. */
  asked?(request: string, page: AskedPage): AskedMessages;

  /** A listed turn's response with these metadata (JSON) in place of its own. Pure. */
  withMetadata?(response: string, metadata: string): string;
}

/** A page of messages, which are numbered from 0. */
export interface AskedPage {
  /** The number of the message before the page; `null`: the page begins at the first. */
  readonly after: number | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

export interface AskedMessages {
  /** JSON: an array of `[number, message]`. `null`: no message has the number `after`. */
  readonly messages: string | null;
  readonly hasMore: boolean;
}

export type TurnWork = (io: TurnIo, signal: AbortSignal) => Promise<TurnOutcome>;

/** What is left of a run whose memory is gone. */
export interface LostRun {
  /** Every event of the journal, in order; none where it was lost before the first. Read lazily. */
  readonly events: () => Iterable<JournalEvent>;
  /** The last `progress` that was written. */
  readonly usage: Progress | null;
  /** The last `remember` that was written with an event. */
  readonly note: string | null;
  /** The last `keep`; `null`: there was none. */
  readonly kept: string | null;
  /** Whether a client may still come for the answer though no event of it was sent: it has a claim, or runs in the background. */
  readonly isFindable: boolean;
}

export interface TurnIo {
  /** The sequence number that the next event gets; the first is 0. */
  readonly nextSequence: number;
  /** Response headers (names in lower case). Whoever waits for `start` gets its stream now. The first `emit` opens too. */
  open(headers: Readonly<Record<string, string>>): void;
  /**
   * Adds one event to the journal. It is readable at the next row; `urgent` makes that row now (for the first event
   * that carries content; honoured twice a turn, since rows are billed). Everything emitted in one synchronous stretch
   * shares a row. `false`: the turn has ended, stop.
   */
  emit(event: JournalEvent, urgent?: boolean): boolean;
  /**
   * Makes a row of what was emitted, now. For events that must be stored before something is done elsewhere: whatever leaves the object
   * afterwards waits until it is stored.
   */
  write(): void;
  /** Kept with the next row: the bill of a turn that is interrupted. */
  progress(progress: Progress): void;
  /** Stores a text with every row from the next one on, for a run that has to continue from the journal. The last one counts. */
  remember(note: string): void;
  /**
   * Stores a text with the turn, in a row of its own, now: for what a resumed run, or the turn's end, could not find again. Up to
   * 400,000 characters. The last one counts; it goes with the journal.
   */
  keep(text: string): void;
}

/** One server-sent event. Neither part holds a line break. */
export interface JournalEvent {
  /** JSON, or `[DONE]`. */
  readonly data: string;
  /** The `event:` field, where the format has one. No blanks. */
  readonly name?: string;
}

export type TurnOutcome = TurnEnd | TurnRefused;

export interface TurnEnd {
  readonly status: EndStatus;
  /** The terminal events, in order: written with the end, or not at all. */
  readonly events: readonly JournalEvent[];
  /** What `retrieve` and a client that did not stream get: the response object as JSON. */
  readonly response: string | null;
  readonly usage: Usage;
  readonly basis: UsageBasis;
  /** The claims of the turn's usage receipt, as JSON. Absent: its tenant wants none. */
  readonly receipt?: string;
  /** Set if the turn was cancelled before its first event: the answer for clients that wait for it. */
  readonly refusal?: Refusal;
  readonly effects: readonly Effect[];
}

/** Only before the first event: nothing was generated, so nothing is kept but the effects still to be delivered. */
export interface TurnRefused {
  readonly status: "refused";
  readonly refusal: Refusal;
  readonly headers: Readonly<Record<string, string>>;
  readonly effects: readonly Effect[];
}

export interface Interruption {
  /** `lost`: the object's memory was gone while the turn ran (eviction, crash, deploy). */
  readonly reason: "lost" | "threw" | "deadline" | "cancelled";
  /** Whether a reader may have seen a first event, or headers (a lost turn: an event). */
  readonly opened: boolean;
  /** The last `progress`; `null` where there was none. */
  readonly usage: Usage | null;
  /** The last `remember`; `null` where there was none. */
  readonly note: string | null;
  /** The last `keep`; `null`: there was none. */
  readonly kept: string | null;
  /** Every event of the journal, in order. Read lazily. */
  readonly events: () => Iterable<JournalEvent>;
  readonly nowMs: number;
}

/** What remains to be done in other objects when a turn has ended. Receivers are idempotent by the turn id. */
export type Effect =
  /** Replace the reservation by what was used. */
  | {
      readonly kind: "settle";
      readonly chargeId: string;
      readonly tenant: string;
      readonly org: string;
      readonly user: string;
      readonly tier: Tier;
      /** The API key of the request, which may have limits of its own. */
      readonly key?: Principal["key"];
      readonly jurisdiction: Jurisdiction;
      readonly tokens: number;
      /** The prompt's part of `tokens`. Absent in effects of older code. */
      readonly promptTokens?: number;
      /** Their cost; `null` or absent: no longer known, so the model's highest price is charged. */
      readonly microdollars?: number | null;
      /** The model that answered; `null` or absent: none, or not known. */
      readonly model?: string | null;
      /** 0 gives the request back (refused for its own fault after admission). */
      readonly requests: 0 | 1;
      /** Whose buckets may not have it yet. Absent: both. */
      readonly owing?: readonly LimitScope[];
    }
  | {
      readonly kind: "append";
      readonly jurisdiction: Jurisdiction;
      readonly objectName: string;
      readonly owner: Owner;
      readonly conversationId: string;
      readonly mustExist: boolean;
      readonly incarnation: number;
      readonly items: readonly NewItem[];
      /** `AppendTurn.behind`: the item that the turn follows. Absent: the end of the active branch. */
      readonly behind?: string | null;
      /** Who asked which model, for the title and the summary that may be made afterwards. Absent: neither is. */
      readonly chores?: { readonly principal: SerialPrincipal; readonly model: string };
      /** As clients see it, so that deleting the conversation finds this turn. Absent in effects of older code. */
      readonly responseId?: string;
      /** The incarnation in which a turn without items began. Absent: none, or older code wrote it. */
      readonly began?: number;
      /** As in `AppendTurn`. Absent in effects of older code. */
      readonly askedMs?: number;
      /** Of one without items, as in `AppendTurn`. Absent in effects of older code. */
      readonly keptMs?: number;
      /** The turn's row for the archive, which gets its position from the conversation. Absent: no row is wanted. */
      readonly archive?: { readonly charge: ArchivedCharge; readonly keepsContent: boolean };
    }
  /** A turn's row for the archive, where no conversation takes it. */
  | { readonly kind: "archive"; readonly turn: ArchivedTurn }
  /** Tell the user's list of stored completions what this turn is now: its end, and each change, until the list has it. */
  | {
      readonly kind: "list";
      readonly jurisdiction: Jurisdiction;
      readonly owner: Owner;
      /** As clients see it. */
      readonly responseId: string;
    };

/** The state of a listed turn at the moment of delivery: the effect itself holds no content. */
export interface ListedTurn {
  readonly revision: number;
  readonly createdMs: number;
  /** When it is forgotten. */
  readonly untilMs: number;
  /** `null`: it was deleted. */
  readonly response: string | null;
}

export interface EffectContext {
  readonly turnId: string;
  /** 0 at first. */
  readonly attempt: number;
  /** `null`: the turn is not listed. */
  readonly listed: () => ListedTurn | null;
}

/** Carries one effect out. A throw counts as `retry`. */
export type DeliverEffect = (effect: Effect, context: EffectContext) => Promise<Delivery>;

/** `acknowledged`: done, done before, or never to be done (its `detail` is then logged). */
export type Delivery =
  | {
      readonly result: "acknowledged";
      readonly detail?: string;
      /** For an `append`: the number of the turn's first item in the conversation. */
      readonly sequence?: number;
      /** For an `append`: an earlier attempt had already done it. */
      readonly again?: boolean;
    }
  /** `left`: what of the effect is still to be done, where some of it is; absent: all. */
  | { readonly result: "retry"; readonly detail: string; readonly left?: Effect };
