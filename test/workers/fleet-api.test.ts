import { beforeAll, expect, test, vi } from "vitest";
import { eventually } from "./eventually.ts";
import { fakeEngine } from "./fake-engine.ts";
import { ask, newTenant, platformToken, type Json } from "./admin-fixture.ts";

/** `/admin/fleet` over HTTP, on the dev fleet's document, of whose replicas none runs here. */
let admin: string;

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  admin = await platformToken();
});

interface Shown extends Json {
  readonly id: string;
  readonly state?: string;
  readonly weight?: number;
}

async function replicasOf(cluster: string): Promise<readonly Shown[]> {
  const { status, body } = await ask("GET", "/admin/fleet", admin);
  expect(status).toBe(200);
  const clusters = body["clusters"] as readonly { id: string; pool: string; replicas: readonly Shown[] }[];
  const found = clusters.find(({ id }) => id === cluster);
  expect(found?.pool).toBe("on");
  return found?.replicas ?? [];
}

function change(body: Json) {
  return ask("POST", "/admin/fleet", admin, body);
}

async function audited(): Promise<readonly string[]> {
  const { body } = await ask("GET", "/admin/audit?limit=100", admin);
  return (body["data"] as readonly { action: string; subject: string }[])
    .filter(({ action }) => action.startsWith("fleet."))
    .map(({ action, subject }) => `${action} ${subject}`)
    .reverse();
}

test("an admin drains, weights and enables a replica; each change once in the audit log", async () => {
  expect((await replicasOf("us-east")).map(({ id, state, weight }) => [id, state, weight])).toEqual([
    ["us-east-1", "active", 1],
    ["us-east-2", "active", 1],
  ]);
  const on = { cluster: "us-east", replica: "us-east-1" };
  for (const changed of [true, false])
    expect(await change({ action: "drain", ...on })).toMatchObject({
      status: 200,
      body: { object: "fleet.change", changed },
    });
  expect(
    await change({ action: "weight", cluster: "us-east", replica: "us-east-2", weight: 0.5 }),
  ).toMatchObject({
    status: 200,
  });
  expect((await replicasOf("us-east")).map(({ state, weight }) => [state, weight])).toEqual([
    ["draining", 1],
    ["active", 0.5],
  ]);
  await change({ action: "enable", ...on });
  expect((await replicasOf("us-east"))[0]?.state).toBe("active");
  expect(await audited()).toEqual([
    "fleet.drain us-east/us-east-1",
    "fleet.weight us-east/us-east-2",
    "fleet.enable us-east/us-east-1",
  ]);
});

test("a replica joins, says that it is there without filling the log, and leaves", async () => {
  const before = (await audited()).length;
  const extra = {
    action: "join",
    cluster: "eu-west",
    replica: "extra",
    url: "http://127.0.0.1:9/",
    slots: 8,
  };
  expect((await change(extra)).body["changed"]).toBe(true);
  expect((await change(extra)).body["changed"]).toBe(false);
  // What it says of itself is what an admin changes.
  expect((await change({ ...extra, slots: 16 })).body["changed"]).toBe(true);
  expect((await change({ ...extra, slots: 16 })).body["changed"]).toBe(false);
  expect((await replicasOf("eu-west")).find(({ id }) => id === "extra")).toMatchObject({
    joined_url: "http://127.0.0.1:9",
    slots: 16,
    state: "active",
  });
  expect((await change({ action: "leave", cluster: "eu-west", replica: "extra" })).status).toBe(200);
  expect((await replicasOf("eu-west")).map(({ id }) => id)).toEqual(["eu-west-1", "eu-west-2"]);
  expect((await audited()).slice(before)).toEqual([
    "fleet.join eu-west/extra",
    "fleet.join eu-west/extra",
    "fleet.leave eu-west/extra",
  ]);
});

test("what makes no sense is refused, naming the field, and is in no log", async () => {
  const before = await audited();
  const on = { cluster: "us-east", replica: "us-east-1" };
  const refused: readonly (readonly [Json, number, string | null])[] = [
    [{ action: "weight", ...on }, 400, "weight"],
    [{ action: "drain", ...on, weight: 1 }, 400, "weight"],
    [{ action: "join", ...on }, 400, "url"],
    [{ action: "join", ...on, url: "file:///etc/passwd" }, 400, "url"],
    [{ action: "join", ...on, url: "no url" }, 400, "url"],
    [{ action: "join", ...on, url: "http://10.0.0.1:8000/v1/" }, 400, "url"],
    [{ action: "join", ...on, url: "http://me:pw@10.0.0.1:8000" }, 400, "url"],
    [{ action: "join", ...on, url: "http://10.0.0.1:8000/?a=1" }, 400, "url"],
    [{ action: "join", ...on, replica: "gpu\n1", url: "http://10.0.0.1:8000" }, 400, "replica"],
    [{ action: "explode", ...on }, 400, "action"],
    [{ action: "drain", cluster: "nowhere", replica: "us-east-1" }, 404, null],
    [{ action: "drain", cluster: "us-east", replica: "nobody" }, 404, null],
    [{ action: "leave", ...on }, 409, null],
    [{ action: "join", ...on, url: "http://127.0.0.1:9" }, 409, null],
  ];
  for (const [body, status, param] of refused)
    expect([body, await change(body)]).toMatchObject([body, { status, body: { error: { param } } }]);
  expect(await audited()).toEqual(before);
});

test("no tenant's admin sees or changes the fleet", async () => {
  const tenant = await newTenant();
  const lacking = { status: 403, body: { error: { code: "insufficient_scope" } } };
  expect(await ask("GET", "/admin/fleet", tenant.admin)).toMatchObject(lacking);
  expect(
    await ask("POST", "/admin/fleet", tenant.admin, {
      action: "drain",
      cluster: "us-east",
      replica: "us-east-1",
    }),
  ).toMatchObject(lacking);
});

test("GET /metrics has each pool's gauges beside the sums; none to scale by of a cluster that nobody reaches", async () => {
  const { exports } = await import("cloudflare:workers");
  const authorization = `Bearer ${await platformToken("platform:metrics")}`;
  const scraped = async (): Promise<string> => {
    const response = await exports.default.fetch("http://edgewise.test/metrics", {
      headers: { authorization },
    });
    return response.text();
  };
  const gauge = (name: string): RegExp =>
    new RegExp(`^edgewise_fleet_${name}\\{cluster="us-east",model="llama-3.1-8b"\\} \\d+$`, "m");
  const text = await scraped();
  expect(text).toContain("\nedgewise_fleet_pools_missing 0\n");
  expect(text).toMatch(gauge("queued_tokens"));
  for (const name of ["saturation", "wanted_replicas"]) expect(text).not.toMatch(gauge(name));
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => fakeEngine(new Request(input).url, init));
  await eventually(async () => {
    const known = await scraped();
    for (const name of ["queued_tokens", "saturation", "wanted_replicas"]) expect(known).toMatch(gauge(name));
  });
});
