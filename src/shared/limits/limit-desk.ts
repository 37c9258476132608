/**
 * May this turn begin? The isolate's side of the limits: the user's and the org's bucket, each from a loan if the isolate has one, else by
 * a call, both at the same time. If one refuses, the other's share is released. One desk an isolate, one `Admission` a request, so that
 * work begun for a request is registered with that request.
 */
import type { Background } from "../contracts/background.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import {
  type AdmissionFailure,
  bucketUnavailable,
  gravest,
  largestMaxTokens,
  limited,
  tooManyAtOnce,
} from "./admission-failure.ts";
import type { AskAnswer } from "./ask-line.ts";
import { BucketLane } from "./bucket-lane.ts";
import { bucketName, type LimitScope } from "./bucket-name.ts";
import { lateMs } from "./bucket-state.ts";
import type { LimitSet } from "./defaults.ts";
import { type DeskOptions, slowMs } from "./desk-options.ts";
import { HeldReservation, type Share } from "./held-reservation.ts";
import { leavingRoom } from "./leaving-room.ts";
import { covers, shareOf, takeFromLoan, type Wanted, wantedBy } from "./share.ts";
import type { StockAddress } from "./regional/region-protocol.ts";
import { OpenAdmissions } from "./open-admissions.ts";
import { type Admission, type AdmissionRequest, type Reservation, unused } from "./ports.ts";
import { limitsOf } from "./principal-limits.ts";
import { RecentMap } from "./recent-map.ts";
import { revokedCredential } from "./revocation.ts";

/** Buckets that an isolate remembers: at most twice as many. What is forgotten is asked again, nothing is lost. */
const laneGeneration = 5_000;

export interface LimitDesk {
  /** The port, for the request (or object) whose background this is. */
  admission(background: Background): Admission;
  /**
   * For what is done without admission: is this credential revoked, by what its buckets said within `maxAgeMs`? They are asked
   * where they were not heard for longer. `unreachable`: not revoked as far as is known.
   */
  standingOf(
    subject: Subject,
    maxAgeMs: number,
    background: Background,
  ): CredentialStanding | Promise<CredentialStanding>;
}

export type CredentialStanding = "good" | "revoked" | "unreachable";

/** `tenant` is null for the platform's own credentials. */
export interface Subject {
  readonly principal: Principal;
  readonly tenant: TenantConfig | null;
}

export function createLimitDesk(options: DeskOptions): LimitDesk {
  const desk = new Desk(options);
  return {
    admission: (background) => ({ admit: (request) => desk.admit(request, background) }),
    standingOf: (subject, maxAgeMs, background) => desk.standingOf(subject, maxAgeMs, background),
  };
}

type Admitted = Result<Reservation, AdmissionFailure>;

/** The outcome of asking one bucket. */
type Decision =
  | { readonly kind: "share"; readonly share: Share }
  | { readonly kind: "failed"; readonly failure: AdmissionFailure };

class Desk {
  readonly #options: DeskOptions;
  readonly #lanes = new RecentMap<BucketLane>(laneGeneration, (lane) => lane.reports.isPending);
  readonly #open = new OpenAdmissions();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  admit(request: AdmissionRequest, background: Background): Promise<Admitted> {
    const { principal, tenant } = request;
    const now = this.#options.now();
    const user = this.#lane(request, "user", principal.user);
    const org = this.#lane(request, "org", principal.org);
    if (user.revokes(principal) || org.revokes(principal))
      return Promise.resolve(err(revokedCredential(principal)));
    const limitsFor = (scope: LimitScope): LimitSet => {
      const limits = limitsOf(tenant, scope, principal);
      return request.yields === true ? leavingRoom(limits) : limits;
    };
    const userLimits = limitsFor("user");
    const orgLimits = limitsFor("org");
    const wanted = wantedBy(request);
    const userShare = takeFromLoan(user, userLimits, wanted, now, background);
    const orgShare = takeFromLoan(org, orgLimits, wanted, now, background);
    if (userShare !== null && orgShare !== null)
      return Promise.resolve(ok(this.#hold(request, [userShare, orgShare], background)));
    return this.#admitByAsking(
      request,
      [user, org],
      userShare ?? this.#ask(request, user, userLimits, wanted, now, background),
      orgShare ?? this.#askOrg(request, org, orgLimits, wanted, now, background),
      background,
    );
  }

  async #admitByAsking(
    request: AdmissionRequest,
    lanes: readonly BucketLane[],
    user: Share | Promise<Decision>,
    org: Share | Promise<Decision>,
    background: Background,
  ): Promise<Admitted> {
    const [userDecision, orgDecision] = await Promise.all([decided(user), decided(org)]);
    const { principal } = request;
    const isRevoked = lanes.some((lane) => lane.revokes(principal));
    if (!isRevoked && userDecision.kind === "share" && orgDecision.kind === "share")
      return ok(this.#hold(request, [userDecision.share, orgDecision.share], background));
    for (const decision of [userDecision, orgDecision])
      if (decision.kind === "share") this.#release(request, decision.share, background);
    if (isRevoked) return err(revokedCredential(principal));
    const failures = [userDecision, orgDecision].flatMap((decision) =>
      decision.kind === "failed" ? [decision.failure] : [],
    );
    return err(gravest(failures));
  }

  /** From the stock of this region, where the bucket is far and a loan is to be expected; the bucket otherwise. */
  #askOrg(
    request: AdmissionRequest,
    lane: BucketLane,
    limits: LimitSet,
    wanted: Wanted,
    now: number,
    background: Background,
  ): Promise<Decision> {
    const at =
      lane.near?.isExpected(now) === true && covers(limits.stock?.block, wanted)
        ? lane.stockNearby(request.place, request.principal.tier, limits, now)
        : null;
    return at === null
      ? this.#ask(request, lane, limits, wanted, now, background)
      : this.#askNearby(at, request, lane, limits, wanted, background);
  }

  async #askNearby(
    at: StockAddress,
    request: AdmissionRequest,
    lane: BucketLane,
    limits: LimitSet,
    wanted: Wanted,
    background: Background,
  ): Promise<Decision> {
    await lane.near?.draw(at, limits, background);
    const now = this.#options.now();
    const share = takeFromLoan(lane, limits, wanted, now, background);
    if (share !== null) return { kind: "share", share };
    return this.#ask(request, lane, limits, wanted, now, background);
  }

  async #ask(
    request: AdmissionRequest,
    lane: BucketLane,
    limits: LimitSet,
    wanted: Wanted,
    askedAtMs: number,
    background: Background,
  ): Promise<Decision> {
    lane.noteAsk(limits, askedAtMs, background);
    const answer = await lane.asks.ask(
      {
        type: "reserve",
        id: request.chargeId,
        total: { requests: 1, slots: 1, ...wanted },
        ttlMs: lateMs,
        lend: false,
      },
      limits,
      background,
    );
    const elapsedMs = this.#options.now() - askedAtMs;
    if (elapsedMs > slowMs) this.#options.events.slow(lane.scope, elapsedMs);
    if (answer.kind === "unreachable")
      return this.#withoutBucket(request, lane, limits, wanted, answer, background);
    if (answer.outcome.type === "granted") {
      // A bucket that proves to be far: the next request shall find a loan nearby.
      const at = lane.stockNearby(request.place, request.principal.tier, limits, this.#options.now());
      if (at !== null) lane.near?.begin(at, limits, background);
      return {
        kind: "share",
        share: shareOf(lane, limits, wanted, { receipt: answer.outcome.receipt, isOpen: false }),
      };
    }
    if (answer.outcome.type === "refused") {
      const { outcome } = answer;
      return { kind: "failed", failure: limited(lane.scope, outcome, largestMaxTokens(outcome, request)) };
    }
    return { kind: "failed", failure: bucketUnavailable(`the bucket answered ${answer.outcome.type}`) };
  }

  /** The failure rules of a bucket that can't be reached: the tenant's policy decides, a user's overload is the user's. */
  #withoutBucket(
    request: AdmissionRequest,
    lane: BucketLane,
    limits: LimitSet,
    wanted: Wanted,
    answer: Extract<AskAnswer, { kind: "unreachable" }>,
    background: Background,
  ): Decision {
    const { tenant, chargeId } = request;
    this.#options.events.unreachable(lane.scope, answer.detail);
    const share = shareOf(lane, limits, wanted, { receipt: null, isOpen: true });
    const policy = tenant.limits.when_unreachable;
    const isOwnOverload = lane.scope === "user" && answer.overloaded;
    if (
      policy.policy === "open" &&
      !isOwnOverload &&
      this.#open.admit(
        `${tenant.id}/${lane.scope}`,
        policy.max_requests_per_isolate,
        lane.unanswered,
        wanted,
        limits,
        this.#options.now(),
      )
    ) {
      const { tokens } = wanted;
      this.#options.events.openAdmission({ tenant: tenant.id, scope: lane.scope, chargeId, tokens });
      return { kind: "share", share };
    }
    // The bucket may have granted it all the same, or be about to: it is given back unseen.
    this.#release(request, share, background);
    return {
      kind: "failed",
      failure: isOwnOverload ? tooManyAtOnce : bucketUnavailable(answer.detail),
    };
  }

  #release(request: AdmissionRequest, share: Share, background: Background): void {
    if (request.isResumed !== true) this.#hold(request, [share], background).settle(unused);
  }

  #hold(request: AdmissionRequest, shares: readonly Share[], background: Background): HeldReservation {
    const mayOverrun = request.tenant.limits.when_unreachable.policy === "open";
    return new HeldReservation(request.chargeId, shares, background, mayOverrun);
  }

  standingOf(
    subject: Subject,
    maxAgeMs: number,
    background: Background,
  ): CredentialStanding | Promise<CredentialStanding> {
    const { principal } = subject;
    const lanes = [this.#lane(subject, "user", principal.user), this.#lane(subject, "org", principal.org)];
    const isRevoked = (): boolean => lanes.some((lane) => lane.revokes(principal));
    if (isRevoked()) return "revoked";
    const now = this.#options.now();
    const unheard = lanes.filter((lane) => !lane.isHeardWithin(maxAgeMs, now));
    if (unheard.length === 0) return "good";
    return Promise.all(unheard.map((lane) => lane.listen(background))).then((heard) =>
      isRevoked() ? "revoked" : heard.every(Boolean) ? "good" : "unreachable",
    );
  }

  #lane({ principal, tenant }: Subject, scope: LimitScope, id: string): BucketLane {
    const jurisdiction = tenant?.jurisdiction ?? "none";
    const name = bucketName(principal.tenant, scope, id);
    const key = jurisdiction === "none" ? name : `${jurisdiction}:${name}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new BucketLane(this.#options, { name, jurisdiction }, scope);
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

async function decided(share: Share | Promise<Decision>): Promise<Decision> {
  return share instanceof Promise ? share : { kind: "share", share };
}
