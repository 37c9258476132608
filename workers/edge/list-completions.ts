/** A page of a user's stored completions: the index says which, and each one's own object has its content. */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import {
  completionIndexName,
  completionIndexVersion,
  type CompletionIndexFailure,
  type ListCompletions,
  type ListCompletionsOutcome,
  type ListedCompletion,
} from "../../src/shared/contracts/completion-index.ts";
import { generationVersion } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { TenantCall } from "./handle.ts";
import { ownerOf } from "./run-durable.ts";
import { generationStub, objectUnavailable } from "./start-turn.ts";

export interface CompletionsPage {
  readonly completions: readonly { readonly id: string; readonly json: string }[];
  readonly hasMore: boolean;
}

type Asked = Pick<ListCompletions, "after" | "limit" | "order" | "model" | "metadata">;

/** Asked at once: each is an object of its own, and a Worker opens six connections. */
const atOnce = 6;
/** Characters of a page, since its answers are in memory together. The answer that reaches this, and those fetched with it, are still shown. */
const mostUnits = 8_000_000;
/** How often the index is asked again to fill a page from which deletions took entries. */
const mostRounds = 5;

export async function listCompletions(
  call: TenantCall,
  asked: Asked,
): Promise<Result<CompletionsPage | "after-unknown", Refusal>> {
  const completions: { readonly id: string; readonly json: string }[] = [];
  let units = 0;
  let { after } = asked;
  for (let round = 1; ; round += 1) {
    const listed = await askIndex(call, { ...asked, after, limit: asked.limit - completions.length });
    if (!listed.ok) return listed;
    if (listed.value.result === "after-unknown") return ok("after-unknown");
    const { entries, hasMore } = listed.value;
    for (let at = 0; at < entries.length; at += atOnce) {
      if (units >= mostUnits) return ok({ completions, hasMore: true });
      const loading = entries.slice(at, at + atOnce).map((entry) => load(call, entry));
      for (const loaded of await Promise.all(loading)) {
        if (!loaded.ok) return loaded;
        if (loaded.value === null) continue;
        completions.push(loaded.value);
        units += loaded.value.json.length;
      }
    }
    after = entries.at(-1)?.objectName ?? after;
    if (!hasMore || completions.length === asked.limit || round === mostRounds)
      return ok({ completions, hasMore });
  }
}

/** `null`: it was deleted, and the index has not heard of it yet. */
async function load(
  call: TenantCall,
  { id, objectName }: ListedCompletion,
): Promise<Result<{ readonly id: string; readonly json: string } | null, Refusal>> {
  const message = { v: generationVersion, owner: ownerOf(call) } as const;
  const called = await callObject(
    async () => generationStub(call, objectName).retrieve(message),
    calledObject("generation", objectName),
  );
  if (!called.ok) return err(objectUnavailable(called.error.retryAfterMs, called.error.detail));
  const outcome = called.value;
  if (outcome.result === "version-unsupported")
    return err(objectUnavailable(1000, `speaks version ${outcome.supported}`));
  return ok(outcome.result === "ended" && outcome.response !== null ? { id, json: outcome.response } : null);
}

async function askIndex(
  call: TenantCall,
  asked: Asked,
): Promise<Result<Exclude<ListCompletionsOutcome, CompletionIndexFailure>, Refusal>> {
  const {
    isolate: { env },
    tenant,
  } = call;
  const owner = ownerOf(call);
  const name = completionIndexName(owner);
  const called = await callObject(
    async () =>
      inJurisdiction(env.COMPLETION_INDEX, tenant.jurisdiction, env.ENVIRONMENT)
        .getByName(name)
        .list({ v: completionIndexVersion, owner, ...asked }),
    calledObject("completion-index", name),
  );
  if (!called.ok) return err(indexUnavailable(called.error.retryAfterMs, called.error.detail));
  const outcome = called.value;
  switch (outcome.result) {
    case "unknown":
      return err({ kind: "object-unknown" });
    case "version-unsupported":
      return err(indexUnavailable(1000, `speaks version ${outcome.supported}`));
    case "ok":
    case "after-unknown":
      return ok(outcome);
  }
}

function indexUnavailable(retryAfterMs: number, detail: string): Refusal {
  return { kind: "dependency-unavailable", component: "completion-index", retryAfterMs, detail };
}
