import { describe, expect, test } from "vitest";
import { acme, globex } from "../../src/shared/identity/identity-fixture.ts";
import { remoteStore, type RunWrangler, type ConfigStore } from "./config-store.ts";
import { deleteTenant, getTenant, listTenants, putTenant, stillThere } from "./tenant-command.ts";

function memoryStore(
  entries = new Map<string, string>(),
): ConfigStore & { entries: Map<string, string>; log: string[] } {
  const log: string[] = [];
  return {
    entries,
    log,
    get: async (key) => entries.get(key) ?? null,
    list: async (prefix) => [...entries.keys()].filter((key) => key.startsWith(prefix)).sort(),
    put: async (added) => {
      for (const { key, value } of added) entries.set(key, value);
      log.push(`put ${added.map(({ key }) => key.slice(0, 16)).join(" ")}`);
    },
    delete: async (keys) => {
      for (const key of keys) entries.delete(key);
      log.push(`delete ${keys.map((key) => key.slice(0, 16)).join(" ")}`);
    },
  };
}

test("put writes the tenant with its indexes and a version; get, list and delete follow", async () => {
  const store = memoryStore();
  const tenant = await putTenant(store, JSON.stringify(acme), "local");
  expect(tenant.version).toMatch(/^.{16}$/);
  expect(await listTenants(store)).toEqual(["acme"]);
  expect(JSON.parse(await getTenant(store, "acme"))).toEqual(tenant);
  expect(store.entries.get("index:host:chat.acme.test")).toBe("acme");
  await deleteTenant(store, "acme");
  expect([...store.entries.keys()]).toEqual(["gone:acme"]);
});

test("a tenant that comes by the name of one that was deleted has none of its keys, whoever edits it later", async () => {
  const store = memoryStore();
  const first = await putTenant(store, JSON.stringify(acme), "local");
  expect(first.keys.created_after).toBe(0);
  await deleteTenant(store, "acme");
  const before = Math.floor(Date.now() / 1000);
  // Its data still exist, so its name can't be reused.
  await expect(putTenant(store, JSON.stringify(acme), "local")).rejects.toThrow(
    "id: is of a tenant that was deleted and whose conversations and files are still there. DELETE /admin/tenants/acme erases them",
  );
  const { keys } = await putTenant(store, JSON.stringify(acme), "local", true);
  expect(keys.created_after).toBeGreaterThanOrEqual(before);
  expect([...store.entries.keys()]).not.toContain("gone:acme");
  const edited = await putTenant(store, JSON.stringify({ ...acme, name: "Acme" }), "local");
  expect(edited.keys.created_after).toBe(keys.created_after);
  const later = { ...acme, keys: { created_after: 9_000_000_000 } };
  expect((await putTenant(store, JSON.stringify(later), "local")).keys.created_after).toBe(9_000_000_000);
});

test("an edit removes the indexes that it no longer has, after writing the new ones", async () => {
  const store = memoryStore();
  await putTenant(store, JSON.stringify(acme), "local");
  const before = store.log.length;
  await putTenant(store, JSON.stringify({ ...acme, hosts: ["new.acme.test"] }), "local");
  expect(store.log.slice(before)).toEqual([
    "put tenant:acme index:host:new.a index:issuer:CT9",
    "delete index:host:chat.",
  ]);
});

test.each([
  ["local", "http://localhost:9000/admin/tenants/acme"],
  ["production", "/admin/tenants/acme"],
] as const)("a deletion says what is left, and how that is erased (%s)", (environment, url) => {
  const text = stillThere("acme", environment, 9000);
  for (const words of [
    "conversations, stored answers, files and vector stores, here and in the archive",
    "put <file.json> --returning",
    "the book of what it used",
    url,
  ])
    expect(text).toContain(words);
  expect(text.includes("localhost")).toBe(environment === "local");
});

function withSecret(name: string, previous?: string): object {
  const keys = { type: "secret", name, ...(previous !== undefined && { previous_name: previous }) };
  return { ...acme.issuers[0], algorithms: ["HS256"], keys };
}

function signedWith(secret: string): object {
  return { ...acme, signing: { policy: "optional", keys: [{ id: "k", algorithm: "hmac-sha256", secret }] } };
}

test.each([
  ["no JSON", "{", "is not JSON"],
  ["a wrong field", JSON.stringify({ ...acme, cache: { ttl_seconds: 5 } }), "cache.ttl_seconds: "],
  [
    "a hostname of another tenant",
    JSON.stringify({ ...acme, hosts: globex.hosts }),
    "hosts[0]: belongs to tenant globex",
  ],
  [
    "a secret of a name under which none is looked up",
    JSON.stringify({ ...acme, issuers: [withSecret("ACME_KEY")] }),
    "issuers[0].keys.name: must end in _SECRET",
  ],
  [
    "a secret of the platform's",
    JSON.stringify({ ...acme, issuers: [withSecret("PLATFORM_JWT_SECRET")] }),
    "issuers[0].keys.name: is a secret of the platform's own",
  ],
  [
    "a secret of the platform's as the one before",
    JSON.stringify({ ...acme, issuers: [withSecret("ACME_JWT_SECRET", "EDGEWISE_SECRET")] }),
    "issuers[0].keys.previous_name: is a secret of the platform's own",
  ],
  [
    "a signing key of a name under which none is looked up",
    JSON.stringify(signedWith("ACME_KEY")),
    "signing.keys[0].secret: must end in _SECRET",
  ],
  [
    "a signing key that is a secret of the platform's",
    JSON.stringify(signedWith("PLATFORM_JWT_SECRET")),
    "signing.keys[0].secret: is a secret of the platform's own",
  ],
  [
    "an issuer of another tenant",
    JSON.stringify({ ...acme, issuers: globex.issuers }),
    "issuers[0]: belongs to tenant globex",
  ],
])("put refuses %s and writes nothing", async (_name, text, told) => {
  const store = memoryStore();
  await putTenant(store, JSON.stringify(globex), "local");
  const before = new Map(store.entries);
  await expect(putTenant(store, text, "local")).rejects.toThrow(told);
  expect(store.entries).toEqual(before);
});

test("a tenant that newer code wrote, before a roll-back, can't move to another jurisdiction either, and its old indexes go", async () => {
  const store = memoryStore();
  await putTenant(store, JSON.stringify(acme), "local");
  const written = JSON.parse(store.entries.get("tenant:acme") ?? "") as object;
  store.entries.set("tenant:acme", JSON.stringify({ ...written, later: {} }));
  await expect(putTenant(store, JSON.stringify({ ...acme, jurisdiction: "eu" }), "local")).rejects.toThrow(
    "jurisdiction: is none",
  );
  await putTenant(store, JSON.stringify({ ...acme, hosts: [] }), "local");
  expect(store.entries.has("index:host:chat.acme.test")).toBe(false);
});

test("a tenant can't move to another jurisdiction", async () => {
  const store = memoryStore();
  await putTenant(store, JSON.stringify(acme), "local");
  await expect(putTenant(store, JSON.stringify({ ...acme, jurisdiction: "eu" }), "local")).rejects.toThrow(
    "jurisdiction: is none",
  );
});

test("nor where its entry is of a form that is not taken any more, with the time from which its keys count", async () => {
  const old = { id: "acme", jurisdiction: "eu", keys: { created_after: 7 }, of_an_older_version: true };
  const store = memoryStore(new Map([["tenant:acme", JSON.stringify(old)]]));
  await expect(putTenant(store, JSON.stringify(acme), "local")).rejects.toThrow("jurisdiction: is eu");
  const { keys } = await putTenant(store, JSON.stringify({ ...acme, jurisdiction: "eu" }), "local");
  expect(keys.created_after).toBe(7);
});

test("production takes neither the demo tenant nor the demo secret", async () => {
  const demo = JSON.stringify({ ...acme, id: "demo" });
  await expect(putTenant(memoryStore(), demo, "production")).rejects.toThrow("id: the demo tenant");
  await expect(putTenant(memoryStore(), JSON.stringify(globex), "production")).rejects.toThrow(
    "issuers[0].keys.name: the demo secret",
  );
  const signed = JSON.stringify(signedWith("DEMO_JWT_SECRET"));
  await expect(putTenant(memoryStore(), signed, "production")).rejects.toThrow(
    "signing.keys[0].secret: the demo secret",
  );
});

test("a tenant that there is not can't be shown or deleted, and a broken one can", async () => {
  const store = memoryStore(new Map([["tenant:odd", "{"]]));
  await expect(getTenant(store, "nobody")).rejects.toThrow("no tenant nobody");
  await expect(deleteTenant(store, "nobody")).rejects.toThrow("no tenant nobody");
  expect(await getTenant(store, "odd")).toBe("{");
  expect(await deleteTenant(store, "odd")).toEqual(["tenant:odd"]);
});

describe("for production, wrangler is called", () => {
  const where = ["--binding", "CONFIG", "--env", "production", "--remote"];
  function recorded(stdout: string, status = 0) {
    const calls: string[][] = [];
    const store = remoteStore("production", (args) => {
      calls.push(args.map((arg) => (arg.endsWith("entries.json") ? "<file>" : arg)));
      return { status, stdout, stderr: "not logged in" };
    });
    return { calls, store };
  }

  test("to list and to get", async () => {
    const { calls, store } = recorded('[{"name":"tenant:acme"}]');
    expect(await store.list("tenant:")).toEqual(["tenant:acme"]);
    await store.get("tenant:acme");
    expect(await store.get("tenant:acm")).toBeNull();
    expect(calls).toEqual([
      ["kv", "key", "list", "--prefix", "tenant:", ...where],
      ["kv", "key", "list", "--prefix", "tenant:acme", ...where],
      ["kv", "key", "get", "tenant:acme", ...where],
      ["kv", "key", "list", "--prefix", "tenant:acm", ...where],
    ]);
  });

  test("to put and to delete in bulk, and not at all for nothing", async () => {
    const { calls, store } = recorded("");
    await store.put([{ key: "a", value: "1" }]);
    await store.delete(["a"]);
    await store.delete([]);
    expect(calls).toEqual([
      ["kv", "bulk", "put", "<file>", ...where],
      ["kv", "bulk", "delete", "<file>", "--force", ...where],
    ]);
  });

  test("on a namespace by its id, where that is given", async () => {
    const calls: (readonly string[])[] = [];
    const run = (args: readonly string[]) => {
      calls.push(args);
      return { status: 0, stdout: "[]", stderr: "" };
    };
    await remoteStore("production", run, "abc").list("tenant:");
    expect(calls[0]?.slice(-5)).toEqual(["--namespace-id", "abc", "--env", "production", "--remote"]);
  });

  /** Prints like wrangler (kvKeyGetCommand): a value unchanged, a text with a line end. */
  function wranglerOver(entries: Map<string, string>): RunWrangler {
    return (args) => {
      const [, , verb, operand = ""] = args;
      const found =
        verb === "list"
          ? `${JSON.stringify([...entries.keys()].map((name) => ({ name })))}\n`
          : `${entries.get(operand) ?? ""}${args.includes("--text") ? "\n" : ""}`;
      return { status: 0, stdout: found, stderr: "" };
    };
  }

  test("a hostname of another tenant is refused there, too", async () => {
    const others = memoryStore();
    await putTenant(others, JSON.stringify({ ...acme, id: "first" }), "local");
    const store = remoteStore("production", wranglerOver(others.entries));
    await expect(putTenant(store, JSON.stringify(acme), "production")).rejects.toThrow(
      "hosts[0]: belongs to tenant first",
    );
  });

  test("and its failure is told", async () => {
    const { store } = recorded("", 1);
    await expect(store.list("tenant:")).rejects.toThrow("wrangler kv key list failed: not logged in");
  });
});
