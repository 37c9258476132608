import { expect, test } from "vitest";
import demo from "../../../config/tenants/demo.json" with { type: "json" };
import type { Principal } from "../identity/principal.ts";
import { fleetSchema, type Capability } from "../routing/fleet/fleet-config.ts";
import { buildFleetIndex } from "../routing/fleet/fleet-index.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { checkTenantConfig } from "../tenancy/tenant-entries.ts";
import { askedChat } from "./asked-chat.ts";
import { modelsFor } from "./list-models.ts";
import { planModel, planWithHistory } from "./plan.ts";
import { routeFields } from "./route-told.ts";

const record = (id: string, capabilities = ["chat", "completions"]) => ({
  id,
  served_name: id,
  context_window: 8192,
  capabilities,
});

const index = buildFleetIndex(
  fleetSchema.parse({
    version: "1",
    clusters: [
      {
        id: "last",
        region: "cloudflare",
        engine: "workers-ai",
        replicas: [{ id: "binding" }],
        models: [record("small"), record("large")],
      },
      {
        id: "us",
        region: "us",
        replicas: [{ id: "a", url: "http://10.0.0.1" }],
        models: [record("small"), record("large", ["chat", "tools"]), record("eyes", ["chat", "vision"])],
      },
    ],
    aliases: {
      plain: { models: ["small", "large"] },
      seeing: { models: ["small", "large", "eyes"] },
      split: {
        strategy: "weighted",
        arms: [
          { name: "a", model: "small", weight: 1 },
          { name: "b", model: "large", weight: 1 },
        ],
      },
      thrifty: { strategy: "cost", cheap: "small", strong: "large" },
    },
  }),
);

const principal = { tenant: "acme", user: "u", tier: "pro" } as unknown as Principal;

function tenant(allow: readonly string[] = ["*"]) {
  const checked = checkTenantConfig({ ...demo, id: "acme", models: { allow } });
  if (!checked.ok) throw new Error(checked.error);
  return checked.value;
}

function plan(model: string, text = "Hi", allow?: readonly string[], tools = false) {
  const asked = askedChat({
    model,
    messages: [{ role: "user", content: text }],
    ...(tools ? { tools: [{ type: "function", function: { name: "f" } }] } : {}),
  });
  const planned = planModel(index, tenant(allow), model, asked.capabilities, { principal, asked });
  return { asked, planned };
}

function order(model: string, text?: string): readonly string[] {
  const { planned } = plan(model, text);
  if (!planned.ok) throw new Error(planned.error.kind);
  return planned.value.map((candidate) => `${candidate.model}@${candidate.variant.clusters.join("+")}`);
}

test("Workers AI comes after everything else, of one model and across an alias's models", () => {
  expect(order("small")).toEqual(["small@us", "small@last"]);
  expect(order("plain")).toEqual(["small@us", "large@us", "small@last", "large@last"]);
});

test("a plain model or alias has no route, an alias that chooses has one on every candidate", () => {
  const { planned: plain } = plan("plain");
  expect(plain.ok && plain.value.every(({ route }) => route === null)).toBe(true);
  const { planned } = plan("thrifty", "Why is the sky blue? Explain step by step and derive the formula.");
  expect(planned).toMatchObject({
    ok: true,
    value: [{ model: "large", route: { arm: "strong" } }, {}, {}, {}],
  });
  expect(order("thrifty")[0]).toBe("small@us");
});

test("an alias that the tenant may not use does not exist, however it chooses", () => {
  for (const name of ["split", "thrifty", "plain"])
    expect(plan(name, "Hi", ["small"]).planned).toMatchObject({
      ok: false,
      error: { kind: "model-unknown", model: name },
    });
  // Who may use the alias gets its models, as with plain ones.
  expect(plan("split", "Hi", ["split"]).planned.ok).toBe(true);
});

test("a model that can't do what is asked is refused by what it lacks, and where to look for one that can", () => {
  const message = expect.stringMatching(/'small' can't do this: .* 'tools'. GET \/v1\/models /) as string;
  expect(plan("small", "Hi", undefined, true).planned).toMatchObject({
    ok: false,
    error: { kind: "parameter-unsupported", param: "model", message },
  });
});

test("an arm's model that can't do what is asked gives way to one that can, and the record says so", () => {
  const { planned, asked } = plan("split", "Hi", undefined, true);
  if (!planned.ok) throw new Error(planned.error.kind);
  expect(planned.value.map(({ model }) => model)).toEqual(["large"]);
  const [{ route }] = planned.value;
  expect(routeFields({ asked, plan: planned.value }, "large")).toEqual({
    alias: "split",
    arm: route?.arm,
    reason: route?.arm === "b" ? "assigned" : "fallback",
  });
});

test("the record names alias and reason for a plain alias, and nothing for a model's own id", () => {
  const { planned, asked } = plan("plain");
  if (!planned.ok) throw new Error(planned.error.kind);
  expect(routeFields({ asked, plan: planned.value }, "small")).toEqual({ alias: "plain", reason: "first" });
  expect(routeFields({ asked, plan: planned.value }, "large")).toEqual({
    alias: "plain",
    reason: "fallback",
  });
  const own = plan("small");
  if (!own.planned.ok) throw new Error(own.planned.error.kind);
  expect(routeFields({ asked: own.asked, plan: own.planned.value }, "small")).toEqual({});
});

test("a tenant's prompts go to the regions that it allows and to its jurisdiction's clusters, in whatever order", () => {
  const fleet = buildFleetIndex(
    fleetSchema.parse({
      version: "1",
      clusters: [
        { region: "us", jurisdiction: "none" },
        { region: "frankfurt", jurisdiction: "eu" },
        { region: "paris", jurisdiction: "eu" },
      ].map((place, at) => ({
        id: `c${at}`,
        ...place,
        replicas: [{ id: "a", url: `http://10.0.0.${at}` }],
        models: [record("small")],
      })),
    }),
  );
  const clustersFor = (change: object): readonly string[] => {
    const checked = checkTenantConfig({ ...demo, id: "acme", ...change });
    if (!checked.ok) throw new Error(checked.error);
    const plan = planModel(fleet, checked.value, "small", [], { principal });
    return plan.ok ? plan.value.flatMap(({ variant }) => variant.clusters) : [];
  };
  expect(clustersFor({})).toEqual(["c0", "c1", "c2"]);
  expect(clustersFor({ jurisdiction: "eu" })).toEqual(["c1", "c2"]);
  expect(clustersFor({ models: { regions: ["paris", "us"] } })).toEqual(["c0", "c2"]);
  expect(clustersFor({ jurisdiction: "eu", models: { regions: ["us"] } })).toEqual([]);
});

/** A fleet where models and what they can do depend on where prompts may be. */
const spread = buildFleetIndex(
  fleetSchema.parse({
    version: "1",
    clusters: [
      { region: "us", jurisdiction: "none", models: [record("small", ["chat", "vision"]), record("large")] },
      {
        region: "paris",
        jurisdiction: "eu",
        models: [{ ...record("small", ["chat"]), context_window: 4096, created: 7 }],
      },
    ].map((cluster, at) => ({
      id: `c${at}`,
      replicas: [{ id: "a", url: `http://10.0.0.${at}` }],
      ...cluster,
    })),
    aliases: { auto: { models: ["large", "small"] }, big: { models: ["large"] } },
  }),
);

function tenantWith(change: object): TenantConfig {
  const checked = checkTenantConfig({ ...demo, id: "acme", ...change });
  if (!checked.ok) throw new Error(checked.error);
  return checked.value;
}

test("what no permitted cluster can do is said of a model that exists there, and not that there is no such model", () => {
  const european = tenantWith({ jurisdiction: "eu" });
  const planned = (name: string, needs: readonly Capability[]) =>
    planModel(spread, european, name, needs, { principal });
  expect(planned("small", ["chat"])).toMatchObject({ ok: true });
  expect(planned("small", ["chat", "vision"])).toMatchObject({
    ok: false,
    error: { kind: "parameter-unsupported", param: "model" },
  });
  for (const name of ["large", "big", "nothing"])
    expect(planned(name, ["chat"])).toMatchObject({ ok: false, error: { kind: "model-unknown" } });
});

test("the list has what a tenant may use where its prompts may be, as it is served there, and nothing else", () => {
  const listed = (change: object) =>
    modelsFor(spread, tenantWith(change)).map(({ id, models, contextWindow, capabilities, created }) => ({
      id,
      models,
      contextWindow,
      capabilities,
      created,
    }));
  expect(listed({}).map(({ id }) => id)).toEqual(["auto", "big", "small", "large"]);
  expect(modelsFor(spread, tenantWith({}))).toEqual(spread.listing);
  const small = { models: ["small"], contextWindow: 4096, capabilities: ["chat"], created: 7 };
  expect(listed({ jurisdiction: "eu" })).toEqual([
    { id: "auto", ...small },
    { id: "small", ...small },
  ]);
  expect(listed({ jurisdiction: "eu", models: { allow: ["small"] } }).map(({ id }) => id)).toEqual(["small"]);
  expect(listed({ models: { regions: ["mars"] } })).toEqual([]);
});

test("a picture of an earlier turn is in the prompt again: a question in words goes to who can see", () => {
  const asked = askedChat({
    model: "seeing",
    messages: [{ role: "user", content: "And what colour is it?" }],
  });
  const turn = { asked, principal, tenant: tenant() };
  const planned = planModel(index, turn.tenant, "seeing", asked.capabilities, turn);
  if (!planned.ok) throw new Error(planned.error.kind);
  const namesWith = (history: Parameters<typeof planWithHistory>[3]) => {
    const again = planWithHistory(index, turn, planned.value, history);
    return again.ok ? [...new Set(again.value.map(({ model }) => model))] : again.error;
  };
  const said = [{ role: "user", content: "Hi" }];
  const shown = [
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
  ];
  expect(namesWith(said)).toEqual(["small", "large", "eyes"]);
  expect(namesWith(shown)).toEqual(["eyes"]);
  const plain = { ...turn, asked: { ...asked, model: "plain" } };
  expect(planWithHistory(index, plain, planned.value, shown)).toMatchObject({
    ok: false,
    error: { kind: "parameter-unsupported", param: "model" },
  });
});
