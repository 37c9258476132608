import { expect, test } from "vitest";
import { fakeTarget } from "../../../test/workers/fake-replicas.ts";
import type { Cluster, Replica } from "./fleet/fleet-config.ts";
import { createOriginTransport, type OriginBindings } from "./origin-transport.ts";

interface Sent {
  readonly over: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

function mount(change: Partial<OriginBindings> = {}) {
  const sent: Sent[] = [];
  const reports: string[] = [];
  const secrets: Readonly<Record<string, string>> = {
    ORIGIN_ID: "id.access",
    ORIGIN_TOKEN: "token",
    ORIGIN_KEY: "sk-1",
    ORIGIN_EU_SIGNING: `hmac-sha256:eu:${"B".repeat(43)}`,
    ORIGIN_BROKEN: "no key",
  };
  const network = (over: string) => (url: string, init: RequestInit) => {
    const body = typeof init.body === "string" ? init.body : "";
    sent.push({ over, url, headers: new Headers(init.headers), body });
    return Promise.resolve(new Response("{}"));
  };
  const transport = createOriginTransport({
    fetch: network("internet"),
    network: (name) => (name === "VPC_GPU" ? network(name) : null),
    secret: (name) => secrets[name],
    ai: null,
    signingKey: undefined,
    now: () => 1_790_000_000_000,
    report: (component, detail) => void reports.push(`${component}: ${detail}`),
    ...change,
  });
  const init = { method: "POST", body: '{"model":"M","top_k":5}', headers: { "x-request-id": "1" } };
  const send = (cluster: Partial<Cluster>, replica: Partial<Replica> = {}) => {
    const target = fakeTarget(cluster, replica);
    return transport(`${target.url}/v1/chat/completions`, init, target);
  };
  return { sent, reports, send, transport, init };
}

const access = {
  hostname: "gpu.example.com",
  client_id_secret: "ORIGIN_ID",
  client_secret_secret: "ORIGIN_TOKEN",
};
const noUrl = { url: undefined } as unknown as Partial<Replica>;

test("a URL gets what was composed, unchanged, without credentials or signature", async () => {
  const { sent, send } = mount();
  await send({});
  expect(sent).toEqual([
    {
      over: "internet",
      url: "http://c0r0.test/v1/chat/completions",
      headers: new Headers({ "x-request-id": "1" }),
      body: '{"model":"M","top_k":5}',
    },
  ]);
});

test("a host behind a tunnel is reached through its network binding alone", async () => {
  const { sent, send } = mount();
  await send({}, { ...noUrl, vpc: { network: "VPC_GPU", host: "10.0.0.7:8000" } });
  expect(sent.map(({ over, url }) => [over, url])).toEqual([
    ["VPC_GPU", "http://10.0.0.7:8000/v1/chat/completions"],
  ]);
});

test("a tunnel's hostname gets the service token's two headers", async () => {
  const { sent, send } = mount();
  await send({}, { ...noUrl, tunnel: access });
  expect(sent[0]?.url).toBe("https://gpu.example.com/v1/chat/completions");
  expect(Object.fromEntries(sent[0]?.headers ?? [])).toEqual({
    "x-request-id": "1",
    "cf-access-client-id": "id.access",
    "cf-access-client-secret": "token",
  });
});

test("an openai server gets its key as bearer, and no field that it does not know", async () => {
  const { sent, send } = mount();
  const cluster = { engine: "openai", api_key_secret: "ORIGIN_KEY" } as const;
  const [model] = fakeTarget().cluster.models;
  if (model === undefined) throw new Error("no model");
  const features = { ...model.engine_features, sampling_fields: false };
  await send({ ...cluster, models: [{ ...model, engine_features: features }] });
  expect(sent[0]?.headers.get("authorization")).toBe("Bearer sk-1");
  expect(sent[0]?.body).toBe('{"model":"M"}');
});

test("each cluster's own key signs for it, the common one for all others", async () => {
  const { sent, send } = mount({ signingKey: `hmac-sha256:common:${"A".repeat(43)}` });
  await send({ signing_key_secret: "ORIGIN_EU_SIGNING" });
  await send({});
  expect(sent.map(({ headers }) => /keyid="(\w+)"/.exec(headers.get("signature-input") ?? "")?.[1])).toEqual([
    "eu",
    "common",
  ]);
});

test("what an engine is sent in its own words is what is signed", async () => {
  const { sent, send } = mount({ signingKey: `hmac-sha256:common:${"A".repeat(43)}` });
  await send({ engine: "tensorrt-llm" });
  const { body = "", headers } = sent[0] ?? {};
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  expect(headers?.get("content-digest")).toBe(
    `sha-256=:${btoa(String.fromCharCode(...new Uint8Array(digest)))}:`,
  );
});

test.each([
  [
    "a secret of Access",
    {},
    { ...noUrl, tunnel: { ...access, client_id_secret: "ORIGIN_GONE" } },
    "the secret ORIGIN_GONE is missing",
  ],
  [
    "an API key",
    { engine: "openai", api_key_secret: "ORIGIN_GONE" },
    {},
    "the secret ORIGIN_GONE is missing",
  ],
  ["a signing key", { signing_key_secret: "ORIGIN_GONE" }, {}, "the secret ORIGIN_GONE is missing"],
  [
    "a signing key that is one",
    { signing_key_secret: "ORIGIN_BROKEN" },
    {},
    "the secret ORIGIN_BROKEN is not <hmac-sha256 or ed25519>:<key id>:<base64url>",
  ],
  ["a network", {}, { ...noUrl, vpc: { network: "VPC_GONE", host: "x" } }, "the binding VPC_GONE is missing"],
  ["the binding AI", { engine: "workers-ai" }, noUrl, "the binding AI is missing"],
] as const)(
  "without %s nothing is sent, and the log says so once",
  async (_sentence, cluster, replica, what) => {
    const { sent, reports, transport, init } = mount({ signingKey: `hmac-sha256:common:${"A".repeat(43)}` });
    const target = fakeTarget(cluster, replica);
    for (let tries = 0; tries < 3; tries += 1)
      await expect(transport(`${target.url}/v1/chat/completions`, init, target)).rejects.toMatchObject({
        name: `OriginMisconfigured (${what})`,
      });
    expect(sent).toEqual([]);
    expect(reports).toEqual([`origin: c0/r0: ${what}`]);
  },
);

test("a malformed ORIGIN_SIGNING_KEY is said at the start", () => {
  expect(() => mount({ signingKey: "rsa:edge:AAAA" })).toThrow("ORIGIN_SIGNING_KEY: is not");
});

test("a request that an engine has no word for is refused as a wrong request, not sent as another one", async () => {
  const { sent, transport } = mount();
  const target = fakeTarget({ engine: "openai", models: [] });
  const body = JSON.stringify({ model: "M", structured_outputs: { regex: "a+" } });
  const response = await transport(`${target.url}/v1/chat/completions`, { method: "POST", body }, target);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { message: "openai knows no structured_outputs of regex", code: 400 },
  });
  expect(sent).toEqual([]);
});
