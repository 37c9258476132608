/**
 * Where do the commands for tenants and the fleet read and write? Locally in the KV that `wrangler dev` keeps under .wrangler/state, through
 * wrangler's own platform proxy (it works beside a running `wrangler dev`); for production through `wrangler kv`, with
 * the account that wrangler is logged in to.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreEntry } from "../../src/shared/tenancy/tenant-entries.ts";
import { UsageError } from "./command-line.ts";
import { localState, root } from "../local-secrets.ts";

export interface ConfigStore {
  get(key: string): Promise<string | null>;
  list(prefix: string): Promise<readonly string[]>;
  put(entries: readonly StoreEntry[]): Promise<void>;
  delete(keys: readonly string[]): Promise<void>;
}

export async function withLocalStore<T>(use: (store: ConfigStore) => Promise<T>): Promise<T> {
  process.env["WRANGLER_LOG"] ??= "error";
  process.env["WRANGLER_SEND_METRICS"] ??= "false";
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] ??= "false";
  const { getPlatformProxy, unstable_readConfig: readConfig } = await import("wrangler");
  const namespace = readConfig({ config: `${root}wrangler.toml` }).kv_namespaces.find(
    ({ binding }: { binding: string }) => binding === "CONFIG",
  );
  if (namespace?.id === undefined) throw new Error("wrangler.toml binds no KV namespace as CONFIG");
  // A separate configuration with only this binding: otherwise the proxy would warn about every object class.
  const folder = mkdtempSync(join(tmpdir(), "edgewise-"));
  const configPath = join(folder, "wrangler.json");
  writeFileSync(configPath, JSON.stringify({ name: "edgewise-tenant", kv_namespaces: [namespace] }));
  const proxy = await getPlatformProxy<{ CONFIG: LocalNamespace }>({
    configPath,
    persist: { path: `${localState()}/v3` },
  });
  try {
    const { CONFIG } = proxy.env;
    return await use({
      get: (key) => CONFIG.get(key),
      async list(prefix) {
        const names: string[] = [];
        let cursor: string | null = null;
        do {
          const page: ListPage = await CONFIG.list({ prefix, cursor });
          names.push(...page.keys.map(({ name }) => name));
          cursor = page.list_complete ? null : (page.cursor ?? null);
        } while (cursor !== null);
        return names;
      },
      async put(entries) {
        for (const { key, value } of entries) await CONFIG.put(key, value);
      },
      async delete(keys) {
        for (const key of keys) await CONFIG.delete(key);
      },
    });
  } finally {
    await proxy.dispose();
    rmSync(folder, { recursive: true });
  }
}

interface ListPage {
  readonly keys: readonly { readonly name: string }[];
  readonly list_complete: boolean;
  readonly cursor?: string;
}

/** The part of KV that this command uses; Cloudflare's types are for Workers. */
interface LocalNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { prefix: string; cursor: string | null }): Promise<ListPage>;
}

/** An error of wrangler in a sentence: the account, the network, the namespace. */
export class StoreError extends Error {}

/** The options for the place where a command works, for `parseArgs`. */
export const placeOptions = { env: { type: "string" }, "namespace-id": { type: "string" } } as const;

/** The given values of `--env production` and `--namespace-id`. */
export interface Place {
  readonly env?: string | undefined;
  readonly "namespace-id"?: string | undefined;
}

export const placeUsage = "[--env production [--namespace-id <id of the KV namespace bound as CONFIG>]]";

/** @param use gets the KV of the environment of `environmentOf` */
export function withStore<T>(place: Place, use: (store: ConfigStore) => Promise<T>): Promise<T> {
  return environmentOf(place) === "production"
    ? use(remoteStore("production", runWrangler, place["namespace-id"]))
    : withLocalStore(use);
}

/** Throws a UsageError for an unknown environment, or an option that does not apply to it. */
export function environmentOf({ env, "namespace-id": namespaceId }: Place): "local" | "production" {
  if (env !== undefined && env !== "production") throw new UsageError(`--env ${env}: is not production`);
  if (env === undefined && namespaceId !== undefined)
    throw new UsageError("--namespace-id is for --env production: the local KV has no other");
  return env ?? "local";
}

export interface CommandOutcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
export type RunWrangler = (args: readonly string[]) => CommandOutcome;

const runWrangler: RunWrangler = (args) => {
  const child = spawnSync("wrangler", args, {
    cwd: root,
    encoding: "utf8",
    // The longest possible answer is a list of very many tenants. Node's own limit is 1 MB.
    maxBuffer: 268_435_456,
    shell: process.platform === "win32",
  });
  if (child.error !== undefined) throw new StoreError(`wrangler can't be started: ${child.error.message}`);
  return { status: child.status ?? 1, stdout: child.stdout, stderr: child.stderr };
};

/**
 * `wrangler kv` on the namespace that wrangler.toml binds as CONFIG in that environment. wrangler finds the one that the
 * first deploy created; `namespaceId` is for cases where it can't.
 */
export function remoteStore(environment: string, run: RunWrangler, namespaceId?: string): ConfigStore {
  const namespace = namespaceId === undefined ? ["--binding", "CONFIG"] : ["--namespace-id", namespaceId];
  const where = [...namespace, "--env", environment, "--remote"];
  const checked = (args: readonly string[]): string => {
    const outcome = run(args);
    if (outcome.status !== 0)
      throw new StoreError(
        `wrangler ${args.slice(0, 3).join(" ")} failed: ${outcome.stderr || outcome.stdout}`,
      );
    return outcome.stdout;
  };
  const names = (prefix: string): readonly string[] =>
    (JSON.parse(checked(["kv", "key", "list", "--prefix", prefix, ...where])) as { name: string }[]).map(
      ({ name }) => name,
    );
  return {
    async get(key) {
      // wrangler's error for a missing key can't be distinguished from others, so check whether it exists. Without --text the
      // value comes unchanged; with it a line end is added, and an index's value would match no tenant.
      return names(key).includes(key) ? checked(["kv", "key", "get", key, ...where]) : null;
    },
    async list(prefix) {
      return names(prefix);
    },
    async put(entries) {
      withFile(entries, (file) => checked(["kv", "bulk", "put", file, ...where]));
    },
    async delete(keys) {
      if (keys.length === 0) return;
      withFile(keys, (file) => checked(["kv", "bulk", "delete", file, "--force", ...where]));
    },
  };
}

function withFile(content: unknown, use: (file: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "edgewise-"));
  try {
    const file = join(folder, "entries.json");
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
