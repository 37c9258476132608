/** What tests of desks in front of real buckets share. Each has a tenant of its own, and so buckets that nobody else asks. */
import { env } from "cloudflare:workers";
import { bucketName, type LimitScope } from "../../src/shared/limits/bucket-name.ts";
import type { DeskOptions } from "../../src/shared/limits/desk-options.ts";
import { tenantWith } from "../../src/shared/limits/simulated-turns.ts";
import { createBucketCall } from "./bucket-call.ts";
import { bucketStub } from "./bucket-stub.ts";

export const callBucket = createBucketCall(env.TOKEN_BUCKET, false);

/** Real clock, real timers, no dice. */
export function deskOptions(more: Partial<DeskOptions> = {}): DeskOptions {
  return {
    call: callBucket,
    now: () => Date.now(),
    setTimer: (callback, ms) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: () => 0.5,
    newId: () => crypto.randomUUID(),
    takesLoans: true,
    events: { slow() {}, unreachable() {}, openAdmission() {}, settlementsLost() {} },
    ...more,
  };
}

/** Background work that a test can wait for. */
export function waitedBackground() {
  const works: Promise<unknown>[] = [];
  return {
    run: (_name: string, work: Promise<unknown>) => void works.push(work),
    async finished(): Promise<void> {
      for (let done = 0; done < works.length; done += 1) await works[done];
    },
  };
}

export function ownTenant(limits: object = {}): ReturnType<typeof tenantWith> {
  const id = `t-${crypto.randomUUID()}` as ReturnType<typeof tenantWith>["id"];
  return { ...tenantWith(limits), id };
}

export function bucketOf(tenantId: string, scope: LimitScope, id: string) {
  return bucketStub(env.TOKEN_BUCKET, { name: bucketName(tenantId, scope, id), jurisdiction: "none" }, false);
}
