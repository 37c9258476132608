/** What do the stages of a turn read? A `ValidatedTurn` for the request, and a `TurnDeps` for everything around it. */
import type { AnswerCache } from "../cache/ports.ts";
import type { SemanticParts } from "../cache/semantic/semantic-turn.ts";
import type { Background } from "../contracts/background.ts";
import type { ChargeId, RequestId } from "../contracts/ids.ts";
import type { Jurisdiction } from "../contracts/owner.ts";
import type { Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";
import type { Ground } from "../grounding/ground.ts";
import type { Principal } from "../identity/principal.ts";
import type { AnswerLengths } from "../limits/answer-lengths.ts";
import type { Admission } from "../limits/ports.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { TokenCalibration } from "../prompt/token-calibration.ts";
import type { FleetIndex } from "../routing/fleet/fleet-index.ts";
import type { ClientPlace, Origin } from "../routing/ports.ts";
import type { BytePipe } from "../stream/pipe-sink.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { CopiedTurn } from "./shadow-turns.ts";
import type { Asked } from "./asked.ts";
import type { WholeCharge } from "./settle-whole.ts";
import type { Stage } from "../telemetry/request-record.ts";

/** Built by the composition root, which alone sees `Env`. */
export interface TurnDeps {
  readonly fleet: FleetIndex;
  readonly admission: Admission;
  readonly origin: Origin;
  /** The cache for tenants with a jurisdiction: their answers may not be stored everywhere. */
  readonly cache: (jurisdiction: Jurisdiction) => AnswerCache;
  /** Asked only for tenants with `cache.semantic`. `null`: none is bound here. */
  readonly semantic: SemanticParts | null;
  readonly background: Background;
  readonly calibration: TokenCalibration;
  readonly answerLengths: AnswerLengths;
  /** HMAC of the tenant for the engine's prefix cache: known, or soon. */
  readonly cacheSalt: (tenant: string) => string | Promise<string>;
  /** A pipe for a client's bytes. */
  readonly pipe: () => BytePipe;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Copies a turn to its alias's shadow, if it has one; returns at once. `null`: no alias of this fleet has a shadow. */
  readonly mirror: ((copied: CopiedTurn) => void) | null;
  /** Hears of each charge that no live turn stands for, as it is settled. Absent: nobody keeps a ledger of them. */
  readonly ledger?: (turn: LedgeredTurn, charge: WholeCharge) => void;
}

/** Whose charge it is. */
export type LedgeredTurn = Pick<
  ValidatedTurn,
  "principal" | "tenant" | "chargeId" | "responseId" | "createdMs"
>;

/** A request that was identified and validated: what every stage may read. */
export interface ValidatedTurn {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  readonly asked: Asked;
  /** Loads the earlier messages of the conversation, oldest first; `null` for a stateless turn. */
  readonly recall: (() => Promise<Recalled>) | null;
  /** Finds passages for it (the stage `ground`); `null`: none were asked for. */
  readonly ground: Ground | null;
  /** What the answer is called: `chatcmpl-…`. */
  readonly responseId: string;
  readonly chargeId: ChargeId;
  readonly requestId: RequestId;
  readonly traceparent: string;
  readonly place: ClientPlace;
  /** The request's own `Cache-Control`. */
  readonly cacheControl: string | null;
  readonly createdMs: number;
  /** No client waits for it: it takes only spare capacity, and is refused as `overloaded` if there is none. */
  readonly yields?: boolean;
  /** Called when a stage has ended. */
  readonly mark: (stage: Stage) => void;
}

export type Recalled = Result<readonly ChatMessage[], Refusal>;
