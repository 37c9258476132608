/** Workers on the bare `workerd` binary, with real sockets and without wrangler's proxy in front. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../../../dev/start/free-ports.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const require = createRequire(import.meta.url);

export interface WorkerdWorker {
  readonly name: string;
  /** The bundle's text. */
  readonly script: string;
  /** Texts and services that it is given, by binding name. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly services?: Readonly<Record<string, string>>;
}

export interface RunningWorkerd {
  readonly port: number;
  stop(): Promise<void>;
}

/** A Worker's bundle, as wrangler would upload it. */
export async function bundle(config: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "edgewise-bundle-"));
  try {
    const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
    const options = ["deploy", "--dry-run", "--outdir", folder, "--config", join(root, config)];
    await promisify(execFile)(process.execPath, [wrangler, ...options], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
    });
    const entry = config.includes("origin-router") ? "index.js" : "dispatching-edge.js";
    return await readFile(join(folder, entry), "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts the Workers in one process; the first one gets the socket. Resolves when it answers. */
export async function startWorkerd(workers: readonly WorkerdWorker[]): Promise<RunningWorkerd> {
  const folder = await mkdtemp(join(tmpdir(), "edgewise-workerd-"));
  const port = await freePort();
  for (const worker of workers) await writeFile(join(folder, `${worker.name}.js`), worker.script);
  const file = join(folder, "config.capnp");
  await writeFile(file, capnp(workers, port));
  const { default: binary } = require("workerd") as { default: string };
  const child = spawn(binary, ["serve", file], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/state`).then(
      (response) => response.text().then(() => true),
      () => false,
    );
    if (answered) return { port, stop };
    if (child.exitCode !== null) throw new Error(`workerd ended: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function capnp(workers: readonly WorkerdWorker[], port: number): string {
  const services = workers.map(({ name, texts = {}, services = {} }) => {
    const bindings = [
      ...Object.entries(texts).map(([key, text]) => `(name = "${key}", text = ${JSON.stringify(text)})`),
      ...Object.entries(services).map(([key, service]) => `(name = "${key}", service = "${service}")`),
    ];
    return `(name = "${name}", worker = (
      modules = [(name = "index.js", esModule = embed "${name}.js")],
      compatibilityDate = "2026-10-15",
      compatibilityFlags = ["enable_request_signal"],
      bindings = [${bindings.join(", ")}],
    ))`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "${workers[0]?.name ?? ""}")],
);
`;
}
