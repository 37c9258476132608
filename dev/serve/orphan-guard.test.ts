import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../start/free-ports.ts";
import { root } from "../local-secrets.ts";
import { emptyBundle } from "./empty-bundle.ts";

const folder = await mkdtemp(join(tmpdir(), "edgewise-guard-"));

afterAll(() => rm(folder, { recursive: true }));

/** Starts workerd like `npm run serve`, with an empty Worker; the temporary files are below `folder`. */
async function serveInAProcess() {
  const edge = await emptyBundle(folder);
  const script = `
    import { startServe } from ${JSON.stringify(`${root}dev/serve/start-serve.ts`)};
    const serve = await startServe({
      bundles: { edge: ${JSON.stringify(edge)} },
      port: ${await freePort()},
      router: "in-process",
      fleet: {},
    });
    process.once("SIGINT", () => void serve.stop());
    console.log(serve.pid);
  `;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, TMPDIR: folder } },
  );
  const [pid] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, workerd: Number(pid) };
}

/** Zombies don't count: in a container they may stay for ever. */
function lives(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return !/^(Z|$)/.test(stdout.trim());
}

test("a kill of whoever serves ends its workerd, and the file with the local secrets is gone by then", async () => {
  const { child, workerd } = await serveInAProcess();
  const files = await readdir(folder, { recursive: true });
  expect(files.filter((file) => file.endsWith(".capnp"))).toEqual([]);
  expect(lives(workerd)).toBe(true);
  child.kill("SIGKILL");
  await expect.poll(() => lives(workerd), { timeout: 10_000 }).toBe(false);
});

test("an orderly end needs no guard, and leaves none", async () => {
  const { child, workerd } = await serveInAProcess();
  const ended = once(child, "exit");
  child.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
  expect(lives(workerd)).toBe(false);
});
