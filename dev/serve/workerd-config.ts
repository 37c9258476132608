/** The capnp text that gives a bundle its bindings on plain workerd. */
import { basename, relative } from "node:path";
import type { WorkerBundle } from "./bundle.ts";

export interface WorkerdConfig {
  readonly edge: WorkerBundle;
  /** Absent: the router runs in the edge Worker's process. */
  readonly router: WorkerBundle | null;
  /** Reads PDF and Office files. Absent: they can't be searched. */
  readonly documents?: WorkerBundle;
  /** Text bindings: variables and secrets. They take precedence over the bundle's variables. */
  readonly texts: Readonly<Record<string, string>>;
  /** The folder of the file with this text: paths of modules are relative to it. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  /** Folder of the objects' storage; it must exist. */
  readonly objectsFolder: string;
  /** Initial contents of the KV namespaces, by their id. */
  readonly kvSeeds: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** For profiling (`--perf-basic-prof`); production accepts none. */
  readonly v8Flags: readonly string[];
  /** Scripts of kv-service.ts and cache-service.ts. */
  readonly scripts: { readonly kv: string; readonly cache: string };
}

export function workerdConfig(config: WorkerdConfig): string {
  const { edge, scripts } = config;
  const beside = besideEdge(config);
  const namespaces = new Set(
    [edge, ...beside].flatMap(({ kvNamespaces }) => kvNamespaces).map(({ id }) => id),
  );
  const services = [
    ...[edge, ...beside].map((bundle) => workerService(bundle, config)),
    ...[...namespaces].map((id) =>
      scriptService(`kv-${id}`, scripts.kv, { SEED: JSON.stringify(config.kvSeeds[id] ?? {}) }),
    ),
    scriptService("cache", scripts.cache, {}),
    `(name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))`,
    `(name = "objects", disk = (path = ${quoted(config.objectsFolder)}, writable = true))`,
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = [${config.v8Flags.map(quoted).join(", ")}],
  services = [
    ${services.join(",\n    ")},
  ],
  sockets = [(name = "http", address = ${quoted(`${config.host}:${config.port}`)}, http = (), service = ${quoted(edge.name)})],
);
`;
}

function besideEdge({ router, documents }: WorkerdConfig): readonly WorkerBundle[] {
  return [...(router === null ? [] : [router]), ...(documents === undefined ? [] : [documents])];
}

function workerService(bundle: WorkerBundle, config: WorkerdConfig): string {
  // The Worker that reads untrusted documents gets no secret.
  const texts = { ...bundle.vars, ...(bundle === config.documents ? {} : config.texts) };
  const bindings = [
    ...Object.entries(texts).map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`),
    ...bundle.kvNamespaces.map(
      ({ binding, id }) => `(name = ${quoted(binding)}, kvNamespace = ${quoted(`kv-${id}`)})`,
    ),
    ...bundle.durableObjects.map(
      ({ binding, className }) =>
        `(name = ${quoted(binding)}, durableObjectNamespace = (className = ${quoted(className)}))`,
    ),
    ...bundle.services
      .filter(({ service }) => besideEdge(config).some(({ name }) => name === service))
      .map(({ binding, service }) => `(name = ${quoted(binding)}, service = ${quoted(service)})`),
  ];
  const namespaces = bundle.durableObjects.map(
    ({ className }) =>
      `(className = ${quoted(className)}, uniqueKey = ${quoted(`${bundle.name}-${className}`)}, enableSql = true)`,
  );
  const modules = bundle.modules.map(
    (path) => `(name = ${quoted(basename(path))}, esModule = embed ${quoted(relative(config.folder, path))})`,
  );
  const objects =
    namespaces.length === 0
      ? ""
      : `
      durableObjectNamespaces = [${namespaces.join(", ")}],
      durableObjectStorage = (localDisk = "objects"),`;
  return `(name = ${quoted(bundle.name)}, worker = (
      modules = [${modules.join(", ")}],
      compatibilityDate = ${quoted(bundle.compatibilityDate)},
      compatibilityFlags = [${bundle.compatibilityFlags.map(quoted).join(", ")}],
      globalOutbound = "network",
      cacheApiOutbound = "cache",${objects}
      bindings = [${bindings.map((binding) => `\n        ${binding},`).join("")}
      ],
    ))`;
}

function scriptService(name: string, script: string, texts: Readonly<Record<string, string>>): string {
  const bindings = Object.entries(texts).map(
    ([key, text]) => `(name = ${quoted(key)}, text = ${quoted(text)})`,
  );
  return `(name = ${quoted(name)}, worker = (
      modules = [(name = "service.js", esModule = ${quoted(script)})],
      compatibilityDate = "2026-10-15",
      bindings = [${bindings.join(", ")}],
    ))`;
}

/** A text in capnp: JSON's escapes are a subset of C's, except `\\u`. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) =>
    [...new TextEncoder().encode(String.fromCharCode(Number.parseInt(hex, 16)))]
      .map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`)
      .join(""),
  );
}
