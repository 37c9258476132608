/** What may an admin do to a replica? Applied by its pool; the caller writes it to disk and to the audit log. */
import type { Members } from "./members.ts";
import type { PoolSite } from "./pool-site.ts";
import type { PoolStatus } from "./pool-status.ts";
import type { MemberConfig, MemberWish } from "./replica-record.ts";

export type PoolAction =
  /** What is left out stays as it is. */
  | {
      readonly kind: "set";
      readonly replica: string;
      readonly state?: MemberWish["state"] | undefined;
      readonly weight?: number | undefined;
    }
  /** A join, or a heartbeat. */
  | { readonly kind: "join"; readonly member: MemberConfig }
  | { readonly kind: "leave"; readonly replica: string };

/** What admins see of a cluster's pool, and do to its replicas, wherever it lives. Rejects where the pool can't be asked. */
export interface PoolControl {
  status(site: PoolSite): Promise<PoolStatus>;
  act(site: PoolSite, action: PoolAction): Promise<ActionOutcome>;
}

export type ActionOutcome =
  /** `changed`: false where it was so already; a heartbeat changes nothing. */
  | { readonly result: "done"; readonly changed: boolean }
  | { readonly result: "replica-unknown" | "in-fleet-document" | "too-many" };

export function applyAction(members: Members, action: PoolAction, nowMs: number): ActionOutcome {
  switch (action.kind) {
    case "set": {
      const { replica, state, weight } = action;
      const before = members.get(replica)?.wish;
      if (before === undefined) return { result: "replica-unknown" };
      const wish: MemberWish = { state: state ?? before.state, weight: weight ?? before.weight };
      members.wish(replica, wish);
      return { result: "done", changed: wish.state !== before.state || wish.weight !== before.weight };
    }
    case "join": {
      const outcome = members.join(action.member, nowMs);
      if (outcome === "in-fleet-document" || outcome === "too-many") return { result: outcome };
      return { result: "done", changed: outcome !== "heartbeat" };
    }
    case "leave": {
      if (members.leave(action.replica)) return { result: "done", changed: true };
      return { result: members.get(action.replica) === null ? "replica-unknown" : "in-fleet-document" };
    }
  }
}
