/**
 * `npm run bench`: the origin alone, a bare pass-through, a bare Worker that reads what passes, and Edgewise, all in one go and
 * round by round in turn, on plain workerd. `--quick`: a short run. `--json FILE`: the figures, too. `--port N`: the first of seven ports (default 21900).
 *
 * Figures are medians of the rounds. Only ratios within one run mean anything: the machine's own speed and its other
 * guests are in every absolute number.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readCommandLine, wholeNumber } from "../dev/commands/command-line.ts";
import { ensureLocalSecrets } from "../dev/local-secrets.ts";
import { signToken } from "../dev/commands/local-token.ts";
import { barsOf, type Bare, type Measured } from "./bars.ts";
import { tokensUsed } from "./delivered.ts";
import type { LoadOrder } from "./load.ts";
import { barLines, holds, requestTable, streamTable, type Row } from "./report.ts";
import { measure, summarise, type Figures } from "./rounds.ts";
import { benchToken, guardedTenant, setStage, type Stage, type Target } from "./targets.ts";

const usage = `usage: npm run bench [-- --quick] [--rounds N] [--only <part of a target's name>] [--json FILE]
         [--port N, the first of seven; 21900]`;
const { values, rounds, port } = readCommandLine(usage, () => {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      port: { type: "string", default: "21900" },
      rounds: { type: "string" },
      only: { type: "string" },
    },
  });
  return {
    values,
    rounds: wholeNumber("rounds", values.rounds ?? (values.quick ? "3" : "7"), 1, 1000),
    port: wholeNumber("port", values.port, 1, 65_529),
  };
});
const requestMs = values.quick ? 1000 : 2000;
const streamTokens = 100;
const tokenMs = 20;

const message = { role: "user", content: "Explain quantum computing in one paragraph." };
const requestBody = JSON.stringify({ model: "bench", max_tokens: 16, messages: [message] });
const streamBody = JSON.stringify({
  model: "bench",
  max_tokens: streamTokens,
  messages: [message],
  stream: true,
  stream_options: { include_usage: true },
});
const cachedBody = (about: number): string =>
  JSON.stringify({
    model: "bench",
    max_tokens: 16,
    temperature: 0,
    messages: [{ role: "user", content: `What is asked again and again? Case ${about}.` }],
  });
/** More questions in turn than an isolate remembers answers (256), so that each hit goes through the binding. */
const manyCached = Array.from({ length: 600 }, (_, at) => cachedBody(at));

type Kind = "requests" | "streams" | "hits" | "remembered" | "guarded";

function orders(token: string, guardedToken: string): Readonly<Record<Kind, Omit<LoadOrder, "ports">>> {
  const common = { path: "/v1/chat/completions", headers: { authorization: `Bearer ${token}` } };
  const closed = { ...common, connections: 64, requestsPerConnection: 1e9, spreadMs: 0 };
  return {
    requests: { ...closed, bodies: [requestBody], durationMs: requestMs },
    hits: { ...closed, bodies: manyCached, durationMs: requestMs },
    remembered: { ...closed, bodies: manyCached.slice(0, 1), durationMs: requestMs },
    streams: { ...common, ...streams },
    guarded: { ...common, ...streams, headers: { authorization: `Bearer ${guardedToken}` } },
  };
}

const streams = {
  bodies: [streamBody],
  connections: 128,
  requestsPerConnection: 3,
  durationMs: 120_000,
  // Streams begin all the time and not all at once: what a first token waits for is 127 others under way.
  spreadMs: streamTokens * tokenMs,
};

/** As many at once: requests for as long as they are measured, streams one each. */
function leadIn(order: Omit<LoadOrder, "ports">): Omit<LoadOrder, "ports"> {
  return order.spreadMs === 0 ? order : { ...order, requestsPerConnection: 1 };
}

/** A token of the tenant that only the bench has, by the demo tenant's secret. */
function guardedToken(): string {
  const claims = { iss: `https://${guardedTenant}.test`, aud: "edgewise", sub: "bench", tier: "enterprise" };
  return signToken(claims, ensureLocalSecrets().DEMO_JWT_SECRET, Date.now(), 4 * 3600);
}

class Book {
  readonly #rounds = new Map<string, Figures[]>();

  note(key: string, figures: Figures): void {
    this.#rounds.set(key, [...(this.#rounds.get(key) ?? []), figures]);
  }

  of(key: string): Figures {
    return summarise(this.#rounds.get(key) ?? []);
  }
}

async function run(stage: Stage): Promise<void> {
  const token = await benchToken("4h");
  const order = orders(token, guardedToken());
  const book = new Book();
  const delivered = new Map<Target, number>();
  const targets = [stage.origin, stage.passThrough, stage.reading, stage.inProcess, stage.service].filter(
    (target) =>
      values.only === undefined ||
      target.name.includes(values.only) ||
      target === stage.passThrough ||
      target === stage.reading,
  );
  const edgewise = targets.filter(({ name }) => name.startsWith("Edgewise"));
  const round = async (kind: Kind, target: Target, keep: boolean): Promise<void> => {
    const figures = await measure(stage, target, order[kind], leadIn(order[kind]));
    if (target.name.startsWith("Edgewise") && (kind === "requests" || kind === "streams"))
      delivered.set(target, (delivered.get(target) ?? 0) + figures.usageTokens);
    if (keep) book.note(`${kind} ${target.name}`, figures);
  };
  // Fills the cache; these answers are delivered and charged like any other.
  const filler = {
    ...order.hits,
    connections: 1,
    requestsPerConnection: manyCached.length,
    durationMs: 120_000,
  };
  await measure(stage, stage.reading, filler);
  for (const target of edgewise) delivered.set(target, (await measure(stage, target, filler)).usageTokens);
  /** All rounds of some kinds, target by target in each. */
  const series = async (what: string, intervalMs: number, once: (keep: boolean) => Promise<void>) => {
    await stage.setSpeed({ intervalMs, firstTokenMs: 0 });
    for (let at = 0; at <= rounds; at++) {
      // The first one warms up.
      process.stderr.write(`${what}: ${at === 0 ? "warming up" : `round ${at} of ${rounds}`}\n`);
      await once(at > 0);
    }
  };
  await series("requests", 0, async (keep) => {
    for (const target of targets) await round("requests", target, keep);
    for (const target of [stage.reading, ...edgewise]) await round("hits", target, keep);
    for (const target of edgewise) await round("remembered", target, keep);
  });
  // Streams have a series of their own: a stream's chunks would wait while the garbage of thousands of requests is collected.
  await series("streams", tokenMs, async (keep) => {
    for (const target of targets) await round("streams", target, keep);
    await round("guarded", stage.inProcess, keep);
  });
  const twice = [stage.passThroughTwice, stage.inProcessTwice];
  if (values.only === undefined)
    await series("two processes", 0, async (keep) => {
      for (const target of twice) await round("requests", target, keep);
    });

  const rows = (kind: string, of: readonly Target[]): Row[] =>
    of.map(({ name }) => ({ name, figures: book.of(`${kind} ${name}`) }));
  const requests = rows("requests", targets);
  const guarded = book.of(`guarded ${stage.inProcess.name}`);
  const streams = [
    ...rows("streams", targets),
    { name: `${stage.inProcess.name}, guard on`, figures: guarded },
  ];
  const named = (kind: string, how: string, of: readonly Target[]): Row[] =>
    rows(kind, of).map(({ name, figures }) => ({ name: `${name}: ${how}`, figures }));
  const hits = [
    ...named("hits", "through the binding", [stage.reading, ...edgewise]),
    ...named("remembered", "remembered by the isolate", edgewise),
  ];
  const bare = (name: string): Bare => ({
    requests: book.of(`requests ${name}`),
    streams: book.of(`streams ${name}`),
  });
  const pass = bare(stage.passThrough.name);
  const yardstick: Row = { name: "pass-through (a miss, of course)", figures: pass.requests };
  const measuredOf = ({ name }: Target): Measured => ({ ...bare(name), hits: book.of(`hits ${name}`) });
  const bars = barsOf(pass, measuredOf(stage.reading), { ...measuredOf(stage.inProcess), guarded });
  console.log(`
Requests: 64 connections, ${requestMs / 1000} s a round, an answer of 16 tokens that does not stream, ${rounds} rounds
${requestTable(requests, pass.requests)}

From the exact cache: the Cache API (its service runs in the same process here), or what the isolate remembers
${requestTable([yardstick, ...hits], pass.requests)}

Streams: 128 at once, beginning all the time, ${streamTokens} tokens, one each ${tokenMs} ms, ${rounds} rounds
${streamTable(streams, pass.streams)}`);
  if (values.only === undefined)
    console.log(`
One process and two
${requestTable([...rows("requests", [stage.passThrough, stage.inProcess]), ...rows("requests", twice)], pass.requests)}`);
  console.log(`
Bars, router in process
${barLines(bars)}

${coresText(book.of(`requests ${stage.inProcess.name}`))}`);
  const lost = await checkDelivered(delivered, token);
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      `${JSON.stringify({ rounds, requests, hits, streams, twice: rows("requests", twice), bars, lost }, null, 2)}\n`,
    );
  if (lost || bars.some((bar) => !holds(bar))) process.exitCode = 1;
}

function coresText({ cpuMicrosecondsPerRequest }: Figures): string {
  if (cpuMicrosecondsPerRequest === null) return "CPU is measured on Linux only.";
  const cores = (cpuMicrosecondsPerRequest * 10_000) / 1_000_000;
  return `10,000 requests a second need ${cores.toFixed(1)} cores of this machine by these figures. That leaves out: TLS and HTTP/2 towards the
client, the network, other tenants' isolates, cold starts and cold configuration, users spread over many buckets (here one
user's loans serve all), long prompts, streaming (see above), and the engine itself.`;
}

async function checkDelivered(delivered: ReadonlyMap<Target, number>, token: string): Promise<boolean> {
  // Of the two processes, the first one is also the target of its own; its tokens are in both sums.
  const byPort = new Map<string, { ports: Set<number>; tokens: number }>();
  for (const [target, tokens] of delivered) {
    const key = target.name.startsWith("Edgewise, router in-process") ? "in-process" : "service";
    const known = byPort.get(key) ?? { ports: new Set<number>(), tokens: 0 };
    for (const port of target.ports) known.ports.add(port);
    known.tokens += tokens;
    byPort.set(key, known);
  }
  let lost = false;
  for (const [name, { ports, tokens }] of byPort) {
    const used = await tokensUsed({ name, ports: [...ports], pids: [] }, token);
    const difference = used - tokens;
    console.log(`
Validity, router ${name}: buckets say ${used} tokens used, clients got ${tokens}${difference === 0 ? ": equal" : `, difference ${difference}`}`);
    lost ||= difference !== 0;
  }
  return lost;
}

const stage = await setStage(port);
const stopOn = (): void => {
  void stage.stop().then(() => process.exit(130));
};
process.on("SIGINT", stopOn);
process.on("SIGTERM", stopOn);
try {
  await run(stage);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await stage.stop();
}
