/** A Worker as wrangler would upload it, with the bindings of its configuration: everything that plain workerd needs. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { root } from "../local-secrets.ts";

export interface WorkerBundle {
  readonly name: string;
  /** Absolute paths, the entry first. */
  readonly modules: readonly string[];
  /** Path of esbuild's metafile (dev/bundle/bundle-parts.ts reads it). */
  readonly metafile: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, string>>;
  readonly kvNamespaces: readonly { readonly binding: string; readonly id: string }[];
  readonly durableObjects: readonly { readonly binding: string; readonly className: string }[];
  readonly services: readonly { readonly binding: string; readonly service: string }[];
}

/**
 * Minified as in `[env.production]`, so that the bench and the end-to-end tests run what ships. Only with EDGEWISE_V8_FLAGS, for
 * profiling, functions keep their names.
 *
 * @param config path of a wrangler.toml, from the root. @param folder where the bundle goes.
 */
export async function bundleWorker(config: string, folder: string): Promise<WorkerBundle> {
  const metafile = join(folder, "bundle-meta.json");
  await promisify(execFile)(
    process.execPath,
    [
      join(root, "node_modules/wrangler/bin/wrangler.js"),
      "deploy",
      "--dry-run",
      // The top level of the configuration is the local environment.
      "--env=",
      `--outdir=${folder}`,
      `--metafile=${metafile}`,
      ...((process.env["EDGEWISE_V8_FLAGS"] ?? "") === "" ? ["--minify"] : []),
      `--config=${join(root, config)}`,
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        // The build command must find the `node` that runs this script.
        PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
        WRANGLER_SEND_METRICS: "false",
        CI: "1",
        NO_COLOR: "1",
      },
    },
  );
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const read: ReadConfig = readConfig({ config: join(root, config) });
  const files = (await readdir(folder)).filter((file) => file.endsWith(".js"));
  const entry = "index.js";
  if (!files.includes(entry)) throw new Error(`the bundle of ${config} has no ${entry}`);
  return {
    name: read.name ?? config,
    modules: [entry, ...files.filter((file) => file !== entry)].map((file) => join(folder, file)),
    metafile,
    compatibilityDate: read.compatibility_date ?? "2026-10-15",
    compatibilityFlags: read.compatibility_flags,
    vars: Object.fromEntries(Object.entries(read.vars).map(([name, value]) => [name, String(value)])),
    kvNamespaces: read.kv_namespaces.map(({ binding, id }) => ({ binding, id: id ?? binding })),
    durableObjects: read.durable_objects.bindings.map(({ name, class_name }) => ({
      binding: name,
      className: class_name,
    })),
    services: (read.services ?? []).map(({ binding, service }) => ({ binding, service })),
  };
}

/** The used part of wrangler's parsed configuration. wrangler's own types refer to packages that are not installed. */
interface ReadConfig {
  readonly name?: string | undefined;
  readonly compatibility_date?: string | undefined;
  readonly compatibility_flags: string[];
  readonly vars: Record<string, unknown>;
  readonly kv_namespaces: { binding: string; id?: string | undefined }[];
  readonly durable_objects: { bindings: { name: string; class_name: string }[] };
  readonly services?: { binding: string; service: string }[] | undefined;
}

/** The JavaScript of one of our own service Workers, which are TypeScript files of this folder. */
export async function serviceScript(file: string): Promise<string> {
  const { stripTypeScriptTypes } = await import("node:module");
  return stripTypeScriptTypes(await readFile(new URL(file, import.meta.url), "utf8"));
}
