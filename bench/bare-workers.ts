/** The Workers that Edgewise is compared with, on a `workerd` of their own. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serviceScript } from "../dev/serve/bundle.ts";

/** @param script a file of this folder */
export async function startBareWorker(
  script: "pass-through-worker.ts" | "reading-worker.ts",
  port: number,
  origin: string,
): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), "edgewise-bench-"));
  const file = join(folder, "config.capnp");
  await writeFile(join(folder, "worker.js"), await serviceScript(`../../bench/${script}`));
  await writeFile(join(folder, "cache.js"), await serviceScript("cache-service.ts"));
  await writeFile(file, config(port, origin));
  const { default: binary } = createRequire(import.meta.url)("workerd") as { default: string };
  const process = spawn(binary, ["serve", file], { stdio: ["ignore", "ignore", "inherit"] });
  for (;;) {
    const up = await fetch(`http://127.0.0.1:${port}/health`).then(
      () => true,
      () => false,
    );
    if (up || process.exitCode !== null) break;
    await sleep(20);
  }
  await rm(folder, { recursive: true, force: true });
  if (process.exitCode !== null) throw new Error(`${script} did not start`);
  return process;
}

function config(port: number, origin: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-10-15",
      compatibilityFlags = ["enable_request_signal"],
      globalOutbound = "network",
      cacheApiOutbound = "cache",
      bindings = [(name = "ORIGIN", text = "${origin}")],
    )),
    (name = "cache", worker = (
      modules = [(name = "cache.js", esModule = embed "cache.js")],
      compatibilityDate = "2026-10-15",
    )),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
}
