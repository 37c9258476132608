/** On whose behalf retrieval's models are asked: the dev fleet's own replicas, or answers that a test has written. */
import { readFileSync } from "node:fs";
import { root } from "../../dev/local-secrets.ts";
import { servedModels } from "../../dev/origin/catalog.ts";
import { Replica } from "../../dev/origin/server/replica.ts";
import type { TenantId, UserId } from "../../src/shared/contracts/ids.ts";
import { err, ok } from "../../src/shared/contracts/result.ts";
import type { FleetCaller } from "../../src/shared/retrieval/fleet-call.ts";
import { fleetSchema } from "../../src/shared/routing/fleet/fleet-config.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import type { Origin, OriginFailure, OriginRequest } from "../../src/shared/routing/ports.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { askInProcess } from "./in-process-replica.ts";

const document = fleetSchema.parse(JSON.parse(readFileSync(`${root}config/fleet.dev.json`, "utf8")));
const fleet = buildFleetIndex(document);

export function tenantOf(more: object) {
  return tenantConfigSchema.parse({
    id: "grid",
    issuers: [
      {
        issuer: "https://issuer.test",
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "SECRET" },
      },
    ],
    ...more,
  });
}

export function callerOf(origin: Origin, more: Partial<FleetCaller> = {}): FleetCaller {
  return {
    origin,
    fleet,
    tenant: tenantOf({}),
    principal: { tenant: "grid" as TenantId, user: "user" as UserId, tier: "free" },
    requestId: "req",
    traceparent: "00-00000000000000000000000000000001-0000000000000001-01",
    place: {},
    signal: new AbortController().signal,
    deadlineMs: 10_000,
    ...more,
  };
}

/** The dev fleet's replicas of one cluster, without sockets. */
export function devOrigin(): Origin {
  const [cluster] = document.clusters;
  if (cluster === undefined) throw new Error("the dev fleet has no cluster");
  const replica = new Replica({
    models: servedModels(cluster),
    settings: { ttftMs: 1, tokenMs: 1, reasoningField: "reasoning" },
    slots: 8,
    quiet: true,
  });
  return createOriginRouter({
    callerRegisters: true,
    state: new RouterState(),
    poller: new Poller(),
    fleet,
    transport: (url, init) => askInProcess(replica, url, init),
    background: { run: (_name, work) => void work.catch(() => undefined) },
    now: () => Date.now(),
    random: () => 0,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

/** Answers each call by the next of these; notes what was asked and what was reported. */
export function scriptedOrigin(...answers: (string | OriginFailure)[]) {
  const asked: OriginRequest[] = [];
  const reported: string[] = [];
  const origin: Origin = {
    dispatch(request) {
      asked.push(request);
      const answer = answers.shift();
      if (answer === undefined) throw new Error("asked once more than expected");
      if (typeof answer !== "string") return Promise.resolve(err(answer));
      return Promise.resolve(
        ok({
          status: 200,
          contentType: "application/json",
          text: answer,
          firstChunk: null,
          body: null,
          cluster: "us-east",
          replica: "a",
          attempts: 1,
          arrived: () => undefined,
          report: (outcome: string) => void reported.push(outcome),
        }),
      );
    },
    probe: () => Promise.resolve(true),
  };
  return { origin, asked, reported };
}

export function valueOf<T>(result: { ok: true; value: T } | { ok: false; error: { kind: string } }): T {
  if (!result.ok) throw new Error(result.error.kind);
  return result.value;
}

export const bodyOf = ({ body }: Pick<OriginRequest, "body">) => JSON.parse(body) as Record<string, unknown>;
export const vectorsAnswer = (...vectors: number[][]) =>
  JSON.stringify({
    data: vectors.map((embedding, index) => ({ index, embedding })),
    usage: { prompt_tokens: 7 },
  });
