/** A tenant's usage book, as its orgs' buckets tell it and as admins read it. */
import {
  type BookPlace,
  type BookUsageOutcome,
  type DayUse,
  type ReadUsage,
  type ReadUsageOutcome,
  type UsageBookFailure,
  usageBookName,
  usageBookVersion,
} from "../../src/shared/contracts/usage-book.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { UsageBook } from "./usage-book.ts";

type BookEnv = Pick<Cloudflare.Env, "USAGE_BOOK" | "ENVIRONMENT">;

/** @returns an error with what happened, for the log, where the book may not have it */
export async function bookUsage(
  env: BookEnv,
  place: BookPlace,
  org: string,
  days: readonly DayUse[],
): Promise<Result<null, string>> {
  const { tenant } = place;
  const told = await ask<BookUsageOutcome>(env, place, async (stub) =>
    stub.book({ v: usageBookVersion, tenant, org, days }),
  );
  return told.ok ? ok(null) : told;
}

export function readUsage(
  env: BookEnv,
  place: BookPlace,
  wanted: Omit<ReadUsage, "v" | "tenant">,
): Promise<Result<Exclude<ReadUsageOutcome, UsageBookFailure>, string>> {
  const { tenant } = place;
  return ask<ReadUsageOutcome>(env, place, async (stub) =>
    stub.read({ v: usageBookVersion, tenant, ...wanted }),
  );
}

async function ask<Outcome extends { readonly result: string }>(
  env: BookEnv,
  place: BookPlace,
  call: (stub: DurableObjectStub<UsageBook>) => Promise<Outcome | UsageBookFailure>,
): Promise<Result<Exclude<Outcome, UsageBookFailure>, string>> {
  const name = usageBookName(place);
  const called = await callObject(
    () => call(inJurisdiction(env.USAGE_BOOK, place.jurisdiction, env.ENVIRONMENT).getByName(name)),
    calledObject("usage-book", name),
  );
  if (!called.ok) return err(called.error.detail);
  const { result } = called.value;
  return result === "unknown" || result === "version-unsupported"
    ? err(`the book said ${result}`)
    : ok(called.value as Exclude<Outcome, UsageBookFailure>);
}
