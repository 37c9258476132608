/**
 * `npm run bench:start`: what is in the bundles, and how long does a user wait where no isolate runs yet? Bundles as they ship, minified, each
 * start a new process of plain workerd, all targets in turn. `--starts N` (default 9), `--port N`: the first of two (default 20800),
 * `--parts N`: how many parts of the edge's bundle are listed (default 25).
 *
 * `first answer`: from the process's beginning to the answer of whatever asks least (`/health`). `first token`: the same to the first token of
 * a chat which is the first request, tenant and fleet unread. What workerd itself takes is in all of them: the empty Worker's row. Only
 * differences within one run mean anything. `parse` and `evaluate` are of the same code in Node's V8 (dev/bundle/start-phases.ts).
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { bundleParts, type BundleMetafile } from "../dev/bundle/bundle-parts.ts";
import { startPhases, type StartPhases } from "../dev/bundle/start-phases.ts";
import { readCommandLine, wholeNumber } from "../dev/commands/command-line.ts";
import { ensureLocalSecrets } from "../dev/local-secrets.ts";
import { bundleWorker, serviceScript, type WorkerBundle } from "../dev/serve/bundle.ts";
import { emptyBundle } from "../dev/serve/empty-bundle.ts";
import { workerdConfig } from "../dev/serve/workerd-config.ts";
import { cpuNanoseconds } from "./cpu.ts";
import { table } from "./report.ts";
import { benchFleet, benchTenants, benchToken } from "./targets.ts";

const usage =
  "usage: npm run bench:start [-- --starts N (9)] [--parts N (25)] [--port N, the first of two (20800)]";
const { starts, mostParts, originPort } = readCommandLine(usage, () => {
  const { values } = parseArgs({
    options: {
      starts: { type: "string", default: "9" },
      port: { type: "string", default: "20800" },
      parts: { type: "string", default: "25" },
    },
  });
  return {
    starts: wholeNumber("starts", values.starts, 1, 1000),
    mostParts: wholeNumber("parts", values.parts, 0, 10_000),
    originPort: wholeNumber("port", values.port, 1, 65_534),
  };
});
const port = originPort + 1;
const host = "127.0.0.1";
const startWithinMs = 60_000;

interface Target {
  readonly name: string;
  readonly bundle: WorkerBundle;
  /** The first request; resolves with its end. */
  readonly ask: () => Promise<void>;
  readonly milliseconds: number[];
  readonly cpuMilliseconds: number[];
}

/** Rejects while nothing listens. */
function ask(method: string, path: string, token: string | null, body: string, until: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host,
      port,
      method,
      path,
      agent: false,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}`, "content-type": "application/json" }),
        ...(body === "" ? {} : { "content-length": Buffer.byteLength(body) }),
      },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.on("data", (data: Buffer) => {
        text += data.toString();
        if (until === "" || !text.includes(until)) return;
        resolve();
        response.destroy();
      });
      response.on("error", reject);
      response.on("end", () => {
        if (until === "") resolve();
        else reject(new Error(`${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    sent.end(body);
  });
}

async function startOnce(target: Target, work: string): Promise<void> {
  const { default: binary } = createRequire(import.meta.url)("workerd") as { default: string };
  const begun = performance.now();
  const child = spawn(binary, ["serve", join(work, "config.capnp")], { stdio: "ignore" });
  const ended = once(child, "exit");
  try {
    for (;;) {
      try {
        await target.ask();
        break;
      } catch (error) {
        const isDown = (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
        if (!isDown || child.exitCode !== null || performance.now() - begun > startWithinMs) throw error;
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
      }
    }
    target.milliseconds.push(performance.now() - begun);
    const used = cpuNanoseconds([child.pid ?? 0]);
    if (used !== null) target.cpuMilliseconds.push(used / 1e6);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

async function writeConfig(target: Target, work: string): Promise<void> {
  const objectsFolder = join(work, "objects");
  await mkdir(objectsFolder, { recursive: true });
  const text = workerdConfig({
    edge: target.bundle,
    router: null,
    texts: {
      ...ensureLocalSecrets(),
      ROUTER: "in-process",
      FLEET: JSON.stringify(benchFleet(`http://${host}:${originPort}`)),
    },
    folder: work,
    host,
    port,
    objectsFolder,
    kvSeeds: { "edgewise-config": await benchTenants() },
    v8Flags: [],
    scripts: { kv: await serviceScript("kv-service.ts"), cache: await serviceScript("cache-service.ts") },
  });
  await writeFile(join(work, "config.capnp"), text, { mode: 0o600 });
}

/** Each time in a new process: V8 remembers what it compiled. The least of each, which other processes disturbed least. */
async function phasesOf(bundle: WorkerBundle): Promise<StartPhases> {
  const measured: StartPhases[] = [];
  for (let at = 0; at < starts; at += 1) measured.push(await startPhases(bundle.modules));
  const [first] = measured;
  if (first === undefined) throw new Error("--starts is at least 1");
  return {
    ...first,
    parse: Math.min(...measured.map(({ parse }) => parse)),
    evaluate: Math.min(...measured.map(({ evaluate }) => evaluate)),
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function sizeRow(name: string, bundle: WorkerBundle): Promise<readonly string[]> {
  const files = await Promise.all(bundle.modules.map((file) => readFile(file)));
  const bytes = files.reduce((sum, file) => sum + file.length, 0);
  const zipped = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  const { parse, evaluate, schemas } = await phasesOf(bundle);
  return [name, kib(bytes), kib(zipped), parse.toFixed(1), evaluate.toFixed(1), String(schemas)];
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(0);
}

const folder = await mkdtemp(join(tmpdir(), "edgewise-cold-start-"));
const origin = fork(new URL("origin.ts", import.meta.url), [String(originPort)]);
try {
  await once(origin, "message");
  const edge = await bundleWorker("wrangler.toml", join(folder, "edge"));
  const router = await bundleWorker("workers/origin-router/wrangler.toml", join(folder, "router"));
  const archiver = await bundleWorker("workers/archiver/wrangler.toml", join(folder, "archiver"));
  console.log(
    table(
      ["bundle", "KiB", "gzip KiB", "parse CPU ms", "evaluate CPU ms", "zod schemas"],
      [
        await sizeRow("edge", edge),
        await sizeRow("origin-router", router),
        await sizeRow("archiver", archiver),
      ],
    ),
  );
  const metafile = JSON.parse(await readFile(edge.metafile, "utf8")) as BundleMetafile;
  const parts = bundleParts(metafile).slice(0, mostParts);
  console.log(
    `\n${table(
      ["of the edge", "KiB"],
      parts.map(({ name, bytes }) => [name, kib(bytes)]),
    )}`,
  );

  const token = await benchToken("1h");
  const chat = JSON.stringify({
    model: "bench",
    max_tokens: 4,
    stream: true,
    messages: [{ role: "user", content: "Explain quantum computing." }],
  });
  const health = () => ask("GET", "/health", null, "", "");
  const firstToken = () => ask("POST", "/v1/chat/completions", token, chat, "@");
  const target = (name: string, bundle: WorkerBundle, asking: () => Promise<void>): Target => ({
    name,
    bundle,
    ask: asking,
    milliseconds: [],
    cpuMilliseconds: [],
  });
  const targets = [
    target("empty Worker, first answer", await emptyBundle(folder), health),
    target("edge, first answer", edge, health),
    target("edge, first token", edge, firstToken),
    target("origin-router, first answer", router, health),
  ];
  for (let at = 0; at < starts; at += 1)
    for (const [serial, one] of targets.entries()) {
      const work = join(folder, `${serial}-${basename(one.bundle.name)}`);
      if (at === 0) await writeConfig(one, work);
      await startOnce(one, work);
    }
  console.log(
    `\n${table(
      [`cold starts, medians of ${starts}`, "ms", "CPU ms"],
      targets.map(({ name, milliseconds, cpuMilliseconds }) => [
        name,
        median(milliseconds).toFixed(0),
        cpuMilliseconds.length === 0 ? "-" : median(cpuMilliseconds).toFixed(0),
      ]),
    )}`,
  );
} finally {
  origin.kill();
  await rm(folder, { recursive: true, force: true });
}
