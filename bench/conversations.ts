/**
 * `npm run bench:conversations`: how long does a conversation's history take to load, and a turn to be appended, with many
 * of them at once? Conversation objects on plain workerd (objects on localDisk), one call a request; times as a client of
 * that Worker sees them, beside those of a request that calls no object.
 *
 * `--conversations N` (2000), `--turns N` (20), `--at-once N` (16), `--long N` items of one long conversation (5000),
 * `--port N` (20890). Then the process is started anew, and every conversation opened once from disk.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readCommandLine, wholeNumber } from "../dev/commands/command-line.ts";
import { bundleWorker } from "../dev/serve/bundle.ts";
import { startServe } from "../dev/serve/start-serve.ts";

const usage = `usage: npm run bench:conversations [-- --conversations N (2000)] [--turns N (20)] [--at-once N (16)]
         [--long N, items of the long one (5000)] [--port N (20890)]`;
const { conversations, turns, atOnce, longTurns, port } = readCommandLine(usage, () => {
  const { values } = parseArgs({
    options: {
      conversations: { type: "string", default: "2000" },
      turns: { type: "string", default: "20" },
      "at-once": { type: "string", default: "16" },
      long: { type: "string", default: "5000" },
      port: { type: "string", default: "20890" },
    },
  });
  return {
    conversations: wholeNumber("conversations", values.conversations, 1, 1_000_000),
    turns: wholeNumber("turns", values.turns, 1, 10_000),
    atOnce: wholeNumber("at-once", values["at-once"], 1, 1000),
    longTurns: Math.floor(wholeNumber("long", values.long, 2, 1_000_000) / 2),
    port: wholeNumber("port", values.port, 1, 65_535),
  };
});
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

async function ask(path: string): Promise<{ readonly ms: number; readonly text: string }> {
  const begunMs = performance.now();
  const sent = request({ agent, host: "127.0.0.1", port, path });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const part of response as AsyncIterable<Buffer>) text += part.toString();
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${text}`);
  return { ms: performance.now() - begunMs, text };
}

/** `work` for 0 to `count` - 1, so many at once. */
async function each(count: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

function line(name: string, times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const shown = [0.5, 0.9, 0.99, 1].map((share) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2),
  );
  return `${name.padEnd(44)}${shown.map((text) => text.padStart(9)).join("")}`;
}

async function write(): Promise<void> {
  const none: number[] = [];
  const history: number[] = [];
  const append: number[] = [];
  const begunMs = performance.now();
  for (let turn = 0; turn < turns; turn += 1)
    await each(conversations, async (at) => {
      const name = `name=bench-${at}&turn=t${at}-${turn}`;
      if (at % 20 === 0) none.push((await ask("/none")).ms);
      history.push((await ask(`/history?${name}`)).ms);
      append.push((await ask(`/append?${name}`)).ms);
    });
  const seconds = (performance.now() - begunMs) / 1000;
  console.log(
    `${conversations} conversations × ${turns} turns, ${atOnce} at once, ${seconds.toFixed(0)} s   (ms)`,
  );
  console.log(`${"".padEnd(44)}${["median", "p90", "p99", "most"].map((text) => text.padStart(9)).join("")}`);
  console.log(line("a request that calls no object", none));
  console.log(line("history load (a turn comes in)", history));
  console.log(line("append (a turn of two items)", append));
  for (let turn = 0; turn < longTurns; turn += 1) await ask(`/append?name=bench-long&turn=l${turn}`);
}

async function openFromDisk(): Promise<void> {
  const cold: number[] = [];
  await each(conversations, async (at) => {
    const { ms, text } = await ask(`/history?name=bench-${at}`);
    if (Number(text) !== turns * 2) throw new Error(`bench-${at} has ${text} messages`);
    cold.push(ms);
  });
  console.log(line("history load, each from disk", cold));
  const first = await ask("/list?name=bench-long");
  const long = await ask("/history?name=bench-long");
  const again: number[] = [];
  const pages: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    again.push((await ask("/history?name=bench-long")).ms);
    pages.push((await ask("/list?name=bench-long")).ms);
  }
  console.log(line(`a page of 100 of ${longTurns * 2} items`, pages));
  console.log(line(`history (${long.text} messages) of ${longTurns * 2} items`, again));
  console.log(`the first page of the long one, from disk: ${first.ms.toFixed(2)} ms`);
}

const folder = await mkdtemp(join(tmpdir(), "edgewise-conversations-"));
try {
  const edge = await bundleWorker("test/workers/conversation-bench/wrangler.toml", join(folder, "bundle"));
  const bundles = { edge, router: edge, remove: () => Promise.resolve() };
  const stateFolder = join(folder, "objects");
  for (const work of [write, openFromDisk]) {
    const serve = await startServe({
      bundles,
      port,
      router: "in-process",
      fleet: { clusters: [], aliases: {} } as never,
      stateFolder,
    });
    try {
      await work();
    } finally {
      await serve.stop();
    }
  }
} finally {
  agent.destroy();
  await rm(folder, { recursive: true, force: true });
}
