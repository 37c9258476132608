/**
 * The product as it ships, with callers of all kinds, while its replicas are hurt and it is killed itself: what went wrong, and do its
 * books agree afterwards? `calm`: only replicas fail, so that everything must be exact. `killed`: the Worker dies as well, and of what
 * it had in hand only the durable turns must be.
 */
import { spawnSync } from "node:child_process";
import OpenAI from "openai";
import demo from "../../../../config/tenants/demo.json" with { type: "json" };
import { makeToken } from "../../../../dev/commands/local-token.ts";
import { seeded } from "../../../../src/shared/routing/pool/seeded-fixture.ts";
import { parseTenantConfig, tenantEntries } from "../../../../src/shared/tenancy/tenant-entries.ts";
import { tokenFor, unique } from "../../callers.ts";
import { startRestartedProduct, type RestartedProduct } from "../restarted-product.ts";
import { startInjuries } from "./injuries.ts";
import {
  deadlineMs,
  directTurns,
  durableTurns,
  pause,
  socketTurns,
  type Caller,
  type Told,
} from "./turns.ts";

const speed = { ttftMs: 5, tokenMs: 6, slots: 64 } as const;
/** How long each life of the product is at least, where it is killed. */
const leastLifeMs = 4000;

export interface TurnTold extends Told {
  readonly kind: string;
  readonly caller: Caller;
}

/** Which turns a caller asks for: whose object outlives the Worker, others, or both. */
type Kind = "direct" | "durable" | "mixed";
const cast: readonly Kind[] = ["direct", "direct", "durable", "durable", "mixed", "mixed", "mixed"];

/** What callers of their own met, who came for a while. */
export interface Phase {
  readonly callers: readonly (Caller & { readonly kind: Kind })[];
  readonly turns: readonly TurnTold[];
  /** What no injury excuses. */
  readonly problems: readonly string[];
  /** How often what was done, of turns and injuries. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the product printed meanwhile beside request lines. */
  readonly otherLines: readonly string[];
  /** Of the product's process, in KiB, about once a second since its last start. */
  readonly residentKib: readonly number[];
}

export interface ChaosWorld {
  readonly product: RestartedProduct;
  readonly admin: string;
  /** Request lines of the log. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Replicas fail, and come back. */
  calm(ms: number): Promise<Phase>;
  /** The product is killed as well, and begun again, every other time without its second region. */
  killed(ms: number): Promise<Phase>;
  stop(): Promise<void>;
}

export async function startChaos(seed: number): Promise<ChaosWorld> {
  const random = seeded(seed);
  const fork = (): (() => number) => seeded(Math.floor(random() * 2 ** 31));
  const log: Record<string, unknown>[] = [];
  const otherLines: string[] = [];
  const tenant = parseTenantConfig(JSON.stringify({ ...demo, receipts: "on" }));
  if (!tenant.ok) throw new Error(tenant.error);
  const entries = await tenantEntries(tenant.value);
  const product = await startRestartedProduct({
    ...speed,
    kvSeeds: { "edgewise-config": Object.fromEntries(entries.map(({ key, value }) => [key, value])) },
    onLine: (line) => {
      if (line.startsWith('{"event":"request"')) log.push(JSON.parse(line) as Record<string, unknown>);
      else otherLines.push(line);
    },
  });
  const { fleet } = product.fleet;
  const [first] = fleet.clusters;
  if (first === undefined) throw new Error("a fleet without clusters");
  /** As where its operator took a region out of the fleet's document. */
  const drained = { ...fleet, version: `${fleet.version}-drained`, clusters: [first] };

  async function killAgain(phase: OpenPhase, untilMs: number): Promise<void> {
    for (let kills = 1; Date.now() + 2 * leastLifeMs < untilMs; kills += 1) {
      await pause(leastLifeMs + random() * leastLifeMs);
      const ended = phase.goesAway();
      await product.kill();
      await product.start(kills % 2 === 1 ? drained : fleet);
      phase.residentKib.length = 0;
      ended();
    }
  }

  async function run(ms: number, mayCarry: (cluster: string) => boolean, kills: boolean): Promise<Phase> {
    const untilMs = Date.now() + ms;
    const phase = new OpenPhase(await newCallers(product.url), otherLines.length);
    const injuries = startInjuries({
      replicas: product.fleet.replicas,
      mayCarry: ({ cluster }) => mayCarry(cluster),
      speed,
      random: fork(),
      onInjury: (name) => phase.count(name),
    });
    const watched = phase.watch(() => product.pid, untilMs);
    try {
      // Two turns of each caller at a time.
      const asked = [...phase.callers, ...phase.callers].map((caller) => phase.ask(caller, untilMs, fork()));
      await Promise.all([...asked, watched, kills ? killAgain(phase, untilMs) : undefined]);
    } finally {
      await injuries.stop();
    }
    phase.otherLines = otherLines.slice(phase.linesBefore);
    return phase;
  }

  return {
    product,
    admin: await makeToken(["--platform", "--scope", "platform:admin"]),
    log,
    calm: (ms) => run(ms, () => true, false),
    killed: (ms) => run(ms, (cluster) => cluster === first.id, true),
    stop: () => product.stop(),
  };
}

/** Each with an org of its own, but those of all kinds, who share one. */
async function newCallers(url: string): Promise<(Caller & { kind: Kind })[]> {
  const shared = unique("shared");
  return Promise.all(
    cast.map(async (kind) => {
      const name = unique(kind);
      const org = kind === "mixed" ? shared : name;
      const token = await tokenFor({ user: name, org, tier: "enterprise" });
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
      return { kind, name, org, token, client, port: Number(new URL(url).port) };
    }),
  );
}

class OpenPhase implements Phase {
  readonly callers: readonly (Caller & { readonly kind: Kind })[];
  readonly turns: TurnTold[] = [];
  readonly problems: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly residentKib: number[] = [];
  otherLines: readonly string[] = [];
  readonly linesBefore: number;
  /** When the product was away; the last one has no end while it is. */
  readonly #away: { readonly fromMs: number; untilMs: number }[] = [];

  constructor(callers: readonly (Caller & { readonly kind: Kind })[], linesBefore: number) {
    this.callers = callers;
    this.linesBefore = linesBefore;
  }

  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** The product is killed; the function is to be called when it is back. */
  goesAway(): () => void {
    this.count("product killed");
    const span = { fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY };
    this.#away.push(span);
    return () => {
      span.untilMs = Date.now();
    };
  }

  #wasAway(sinceMs: number): boolean {
    return this.#away.some(({ untilMs }) => untilMs >= sinceMs);
  }

  async watch(pid: () => number, untilMs: number): Promise<void> {
    for (; Date.now() < untilMs; await pause(1000)) {
      const { stdout } = spawnSync("ps", ["-o", "rss=", "-p", String(pid())], { encoding: "utf8" });
      const kib = Number(stdout);
      if (kib > 0) this.residentKib.push(kib);
    }
  }

  /** One turn after the other. */
  async ask(caller: Caller & { readonly kind: Kind }, untilMs: number, random: () => number): Promise<void> {
    const names = [
      ...(caller.kind === "durable" ? [] : Object.keys(directTurns)),
      ...(caller.kind === "direct" ? [] : Object.keys(durableTurns)),
      ...(caller.kind === "mixed" ? Object.keys(socketTurns) : []),
    ];
    while (Date.now() < untilMs) {
      await this.#carryOut(caller, names[Math.floor(random() * names.length)] ?? "", random);
      await pause(random() * 50);
    }
  }

  /** A turn with a key is tried again where the product was killed; another is over then. */
  async #carryOut(caller: Caller, kind: string, random: () => number): Promise<void> {
    const turn = durableTurns[kind] ?? directTurns[kind] ?? socketTurns[kind];
    if (turn === undefined) throw new Error(`no turn ${kind}`);
    const told: TurnTold = { kind, caller, tokens: 0, id: null };
    const key = `${kind}-${this.turns.length}-${caller.name.slice(-6)}`;
    const words = 5 + Math.floor(random() * 60);
    this.turns.push(told);
    const beganMs = Date.now();
    for (;;) {
      while (this.#away.some(({ untilMs }) => untilMs > Date.now())) await pause(50);
      const triedMs = Date.now();
      try {
        await turn({ caller, key, words, random, told });
        return this.count(kind);
      } catch (error) {
        const about = `${key} after ${Date.now() - triedMs} ms: ${String(error)}`;
        if (!this.#wasAway(triedMs)) this.problems.push(about);
        else if (kind in durableTurns && Date.now() - beganMs < 2 * deadlineMs) continue;
        else if (kind in durableTurns) this.problems.push(`${about}, again and again`);
        else this.count(`${kind}, product killed`);
        return;
      }
    }
  }
}
