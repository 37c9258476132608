/**
 * `npm run bench:durable`: how much later does a durable turn's first token come than a direct one's? Both kinds in turn,
 * one pair after another, on `npm run serve`'s own stack (plain workerd, objects on localDisk, journal on), against an
 * origin that answers at once: nothing hides behind a model's own time.
 *
 * `--pairs N` (default 100), `--at-once N` pairs side by side (default 1), `--port N`: the first of two (default 20600),
 * `--origin-ms N`: the origin's own time to its first token (default 0). The difference is taken pair by pair. On a busy
 * machine the median is mostly the wait for a processor: p10 is what the turn itself takes.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { parseArgs } from "node:util";
import { readCommandLine, wholeNumber } from "../dev/commands/command-line.ts";
import { bundleForServe, startServe } from "../dev/serve/start-serve.ts";
import { benchFleet, benchTenants, benchToken } from "./targets.ts";

const usage = `usage: npm run bench:durable [-- --pairs N (100)] [--at-once N (1)] [--origin-ms N (0)]
         [--port N, the first of two (20600)]`;
const { port, pairs, atOnce, originMs } = readCommandLine(usage, () => {
  const { values } = parseArgs({
    options: {
      pairs: { type: "string", default: "100" },
      "at-once": { type: "string", default: "1" },
      port: { type: "string", default: "20600" },
      "origin-ms": { type: "string", default: "0" },
    },
  });
  return {
    port: wholeNumber("port", values.port, 1, 65_534),
    pairs: wholeNumber("pairs", values.pairs, 1, 1_000_000),
    atOnce: wholeNumber("at-once", values["at-once"], 1, 1000),
    originMs: wholeNumber("origin-ms", values["origin-ms"], 0, 60_000),
  };
});
const warmUpPairs = 10;
const pauseMs = 250;

type Kind = "direct" | "direct again" | "durable" | "keyed";
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Milliseconds from the request to the first byte that holds a token. */
async function turn(kind: Kind, token: string, serial: number): Promise<number> {
  const body = JSON.stringify({
    model: "bench",
    max_tokens: 4,
    stream: true,
    messages: [{ role: "user", content: `Question ${serial} of the bench: explain quantum computing.` }],
    ...(kind === "durable" ? { store: true } : {}),
  });
  const begunMs = performance.now();
  const sent = request({
    agent,
    host: "127.0.0.1",
    port: port + 1,
    method: "POST",
    path: "/v1/chat/completions",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...(kind === "keyed" ? { "idempotency-key": `bench-${process.pid}-${serial}` } : {}),
    },
  });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`${kind}: ${response.statusCode}`);
  let firstMs = Number.NaN;
  let text = "";
  for await (const part of response as AsyncIterable<Buffer>) {
    text += part.toString();
    if (Number.isNaN(firstMs) && text.includes("@")) firstMs = performance.now() - begunMs;
  }
  if (!text.includes("[DONE]")) throw new Error(`${kind}: no end`);
  return firstMs;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function line(name: string, times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const shown = [0.1, 0.5, 0.9, 0.99].map((share) => quantile(sorted, share).toFixed(2).padStart(8));
  return `${name.padEnd(29)}${shown.join("")}`;
}

async function measure(token: string): Promise<void> {
  const kinds: readonly Kind[] = ["direct", "durable", "keyed", "direct again"];
  const times = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  let serial = 0;
  let left = pairs + warmUpPairs;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const keep = left < pairs;
      const order = left % 2 === 0 ? kinds : kinds.toReversed();
      const round: [Kind, number][] = [];
      for (const kind of order) {
        serial += 1;
        // What a turn leaves to be done (settling, saving, the next one's object) is not in the next one's time.
        await new Promise((resolve) => {
          setTimeout(resolve, pauseMs);
        });
        round.push([kind, await turn(kind, token, serial)]);
      }
      if (keep) for (const [kind, firstMs] of round) times.get(kind)?.push(firstMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const of = (kind: Kind): number[] => times.get(kind) ?? [];
  console.log(
    `Time to first token, ms           p10  median     p90     p99   (${pairs} of each, ${atOnce} at once)`,
  );
  for (const kind of kinds) console.log(line(kind, of(kind)));
  for (const kind of ["durable", "keyed", "direct again"] as const)
    console.log(
      line(
        `${kind} over direct`,
        of(kind).map((ms, at) => ms - (of("direct")[at] ?? 0)),
      ),
    );
}

const origin = fork(new URL("origin.ts", import.meta.url), [String(port)]);
await once(origin, "message");
await fetch(`http://127.0.0.1:${port}/_bench`, {
  method: "POST",
  body: JSON.stringify({ intervalMs: 5, firstTokenMs: originMs }),
});
const bundles = await bundleForServe();
try {
  const serve = await startServe({
    bundles,
    port: port + 1,
    router: "in-process",
    fleet: benchFleet(`http://127.0.0.1:${port}`),
    kvSeeds: { "edgewise-config": await benchTenants() },
  });
  try {
    await measure(await benchToken("1h"));
  } finally {
    await serve.stop();
  }
} finally {
  await bundles.remove();
  origin.kill("SIGKILL");
  agent.destroy();
}
