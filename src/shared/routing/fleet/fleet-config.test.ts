import { expect, test } from "vitest";
import { fleetSchema } from "./fleet-config.ts";
import { replicaTarget } from "../replica-target.ts";

const model = { id: "m", served_name: "M", context_window: 8192 };
const other = { id: "n", served_name: "N", context_window: 8192 };

function fleet(cluster: object = {}, more: object = {}): object {
  return {
    version: "1",
    clusters: [
      {
        id: "c",
        region: "r",
        replicas: [{ id: "a", url: "http://10.0.0.1:8000" }],
        models: [model, other],
        ...cluster,
      },
    ],
    ...more,
  };
}

/** Each fault as `path: message`. */
function faultsOf(document: object): readonly string[] {
  const parsed = fleetSchema.safeParse(document);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

const access = {
  hostname: "gpu.example.com",
  client_id_secret: "ORIGIN_ACCESS_ID",
  client_secret_secret: "ORIGIN_ACCESS_TOKEN",
};

test.each([
  ["a URL", { url: "https://gpu.example.com/" }, "https://gpu.example.com"],
  [
    "a host behind a network binding",
    { vpc: { network: "VPC_GPU", host: "10.0.0.7:8000" } },
    "http://10.0.0.7:8000",
  ],
  [
    "an IPv6 host behind one",
    { vpc: { network: "VPC_GPU", host: "[fd00::7]:8000" } },
    "http://[fd00::7]:8000",
  ],
  ["a tunnel with a service token", { tunnel: access }, "https://gpu.example.com"],
] as const)("a replica is reached by %s", (_sentence, way, url) => {
  const { clusters } = fleetSchema.parse(fleet({ replicas: [{ id: "a", ...way }] }));
  const [cluster] = clusters;
  const [replica] = cluster?.replicas ?? [];
  if (cluster === undefined || replica === undefined) throw new Error("nothing parsed");
  expect(replicaTarget(cluster, replica).url).toBe(url);
});

test.each([
  ["no way to it", [{ id: "a" }], "clusters.0.replicas.0: needs exactly one of url, vpc and tunnel"],
  [
    "two ways to it",
    [{ id: "a", url: "http://x", tunnel: access }],
    "clusters.0.replicas.0: needs exactly one of url, vpc and tunnel",
  ],
  [
    "its id twice",
    [
      { id: "a", url: "http://x" },
      { id: "a", url: "http://y" },
    ],
    "clusters.0.replicas.1.id: is used twice",
  ],
  [
    "a host with a path",
    [{ id: "a", vpc: { network: "VPC_GPU", host: "10.0.0.7/v1" } }],
    "clusters.0.replicas.0.vpc.host: must be host or host:port",
  ],
  [
    "a host with a user",
    [{ id: "a", tunnel: { ...access, hostname: "me@gpu.example.com" } }],
    "clusters.0.replicas.0.tunnel.hostname: must be host or host:port",
  ],
  [
    "a binding that is no network's",
    [{ id: "a", vpc: { network: "ORIGIN_ROUTER", host: "x" } }],
    "clusters.0.replicas.0.vpc.network: must begin with VPC_ and be capitals, digits and underscores",
  ],
  [
    "a token instead of its secret's name",
    [{ id: "a", tunnel: { ...access, client_secret_secret: "3f8a" } }],
    "clusters.0.replicas.0.tunnel.client_secret_secret: must begin with ORIGIN_ and be capitals, digits and underscores",
  ],
] as const)("a replica with %s is an error with its path", (_sentence, replicas, fault) => {
  expect(faultsOf(fleet({ replicas }))).toContain(fault);
});

test.each([
  [
    "a name that a tenant could use",
    { engine: "openai", api_key_secret: "ORIGIN_KEY_SECRET" },
    "api_key_secret",
  ],
  ["the Worker's own secret", { engine: "openai", api_key_secret: "EDGEWISE_SECRET" }, "api_key_secret"],
  ["a key itself", { engine: "openai", api_key_secret: "sk-proj-abcdef" }, "api_key_secret"],
  ["an engine that wants none", { api_key_secret: "ORIGIN_KEY" }, "api_key_secret"],
  ["a signing key itself", { signing_key_secret: "hmac-sha256:edge:AAAA" }, "signing_key_secret"],
] as const)("%s is refused where a secret's name belongs", (_sentence, cluster, field) => {
  expect(new Set(faultsOf(fleet(cluster)).map((fault) => fault.split(":")[0]))).toEqual(
    new Set([`clusters.0.${field}`]),
  );
});

test("Workers AI has no address", () => {
  const ai = { engine: "workers-ai", replicas: [{ id: "a" }] };
  expect(faultsOf(fleet(ai))).toEqual([]);
  expect(faultsOf(fleet({ engine: "workers-ai" }))).toEqual([
    'clusters.0.replicas.0: of engine "workers-ai" has neither url, vpc nor tunnel: it is the binding AI',
  ]);
  expect(
    faultsOf(fleet({ ...ai, models: [{ ...model, api: "completions", template: "llama-3.1" }] })),
  ).toEqual(['clusters.0.models.0.api: of engine "workers-ai" is always "chat"']);
});

test("a model without a price has its cluster's, and features that are not stated are its engine's", () => {
  const { clusters } = fleetSchema.parse(
    fleet({
      engine: "openai",
      price: { input: 1, output: 2 },
      models: [model, { ...other, price: { output: 9 }, engine_features: { metrics: true } }],
    }),
  );
  const [plain, priced] = clusters[0]?.models ?? [];
  expect(plain?.price).toEqual({ input: 1, output: 2 });
  expect(priced?.price).toEqual({ input: 0, output: 9 });
  expect(plain?.engine_features).toMatchObject({ stream_usage: true, cache_salt: false, metrics: false });
  expect(priced?.engine_features).toMatchObject({ stream_usage: true, cache_salt: false, metrics: true });
});

test("cached tokens of a prompt cost at most what others do: what a turn may cost is set aside before anybody knows which it has", () => {
  const priced = (price: object) => fleet({ engine: "openai", price, models: [model] });
  expect(fleetSchema.parse(priced({ input: 1, cached_input: 0.1 })).clusters[0]?.models[0]?.price).toEqual({
    input: 1,
    output: 0,
    cached_input: 0.1,
  });
  expect(faultsOf(priced({ input: 1, cached_input: 2 }))).toEqual([
    "clusters.0.price.cached_input: must not be above `input`",
  ]);
});

test("a parsed document is a valid document again, and means the same", () => {
  const parsed = fleetSchema.parse(
    fleet(
      {
        price: { input: 1 },
        replicas: [{ id: "a", tunnel: access, zone: "z1" }],
        pool: true,
        cost_per_hour: 2,
      },
      {
        aliases: {
          auto: { models: ["m", "n"] },
          ab: {
            strategy: "weighted",
            arms: [
              { name: "a", model: "m", weight: 9 },
              { name: "b", model: "n", weight: 1 },
            ],
          },
          thrifty: { strategy: "cost", cheap: "m", strong: "n" },
        },
      },
    ),
  );
  expect(fleetSchema.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
});

const arms = [
  { name: "a", model: "m", weight: 1 },
  { name: "b", model: "n", weight: 1 },
];
test.each([
  ["a model of no cluster", { models: ["m", "x"] }, "models.1: names no model of any cluster"],
  [
    "an arm of no cluster",
    { strategy: "weighted", arms: [arms[0], { ...arms[1], model: "x" }] },
    "arms.1.model: names no model of any cluster",
  ],
  ["two arms of one name", { strategy: "weighted", arms: [arms[0], arms[0]] }, "arms: have a name twice"],
  [
    "arms that all weigh nothing",
    { strategy: "weighted", arms: arms.map((arm) => ({ ...arm, weight: 0 })) },
    "arms: all weigh nothing",
  ],
  [
    "a cheap model that is the strong one",
    { strategy: "cost", cheap: "m", strong: "m" },
    "strong: is the cheap model as well",
  ],
  [
    "a shadow of no cluster",
    { models: ["m"], shadow: { model: "x", share: 0.1 } },
    "shadow.model: names no model of any cluster",
  ],
] as const)("an alias with %s is an error with its path", (_sentence, alias, fault) => {
  expect(faultsOf(fleet({}, { aliases: { auto: alias } }))).toEqual([`aliases.auto.${fault}`]);
});
