/** One user who asks, reads, cancels, deletes and asks again while objects are killed: what came of each turn, and what must hold of it. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import {
  answersThem,
  type AskedTurn,
  type Asking,
  bodyOf,
  objectOf,
  paths,
  type Step,
  words,
} from "./asked-turns.ts";
import { post, send } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import type { ScriptedEngine } from "./scripted-engine.ts";
import { ToldEvents } from "./told-events.ts";
import { TurnBills } from "./turn-bills.ts";

export class Interleaving {
  readonly #engine: ScriptedEngine;
  readonly #authorization: string;
  readonly turns: AskedTurn[] = [];
  readonly #gates: (() => void)[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #told = new ToldEvents();
  readonly bills: TurnBills;
  /** By id, what a turn was when it was looked at behind its end. */
  readonly #ends = new Map<string, string>();
  #kills = 0;
  readonly faults: string[] = [];
  readonly log: string[] = [];

  constructor(engine: ScriptedEngine, authorization: string, user: string) {
    this.#engine = engine;
    this.#authorization = authorization;
    this.bills = new TurnBills(user);
    answersThem(engine);
  }

  async step(step: Step): Promise<void> {
    this.log.push(JSON.stringify(step));
    switch (step.does) {
      case "ask":
        this.#ask(step.asking);
        break;
      case "again":
        this.#again(step.which);
        break;
      case "read":
        this.#read(step.which);
        break;
      case "look":
        await this.#look(this.#known(step.which));
        break;
      case "cancel":
        await this.#cancel(this.#known(step.which));
        break;
      case "delete":
        await this.#delete(this.#known(step.which));
        break;
      case "alarm":
        await this.#alarm(this.#known(step.which));
        break;
      case "goes-on":
        this.#gates.splice(step.which % Math.max(1, this.#gates.length), 1)[0]?.();
        break;
      case "forget":
        await this.#forget(step.conversation);
        break;
      case "fail":
        this.bills.failures[step.whom].push(step.when);
        break;
      case "kill":
        this.#kills += 1;
        await abortAllDurableObjects();
        break;
      case "wait":
        await pause(60);
    }
    await pause(5);
  }

  /** Everything comes to its end; then what must hold is looked at. */
  async end(): Promise<void> {
    this.bills.failures.append.length = 0;
    this.bills.failures.settle.length = 0;
    this.#engine.pause = null;
    await eventually(async () => {
      for (const go of this.#gates.splice(0)) go();
      for (const id of await this.bills.objects()) await runDurableObjectAlarm(env.GENERATION.get(id));
      for (const turn of this.turns) {
        const status = await this.#look(turn);
        if (status === "running") throw new Error(`turn ${turn.number} still runs`);
      }
      if (this.#running.size > 0) throw new Error("somebody still waits");
    });
    for (const turn of this.turns)
      if (turn.isDeleted || turn.isForgotten) await eventually(() => this.#expectGone(turn));
    await this.#expectItems();
    await this.bills.expectBills(this.#authorization);
    expect(this.faults).toEqual([]);
  }

  #known(which: number): AskedTurn | null {
    const known = this.turns.filter(({ id }) => id !== null);
    return known[which % Math.max(1, known.length)] ?? null;
  }

  #ask(asking: Asking): void {
    const number = this.turns.length;
    const previous = this.turns.filter(({ id, asking: { kind } }) => id !== null && kind === "response");
    const body = bodyOf(asking, number, previous);
    const turn: AskedTurn = { asking, number, body, id: null, isDeleted: false, isForgotten: false };
    this.turns.push(turn);
    const gate = Promise.withResolvers<void>();
    this.#gates.push(gate.resolve);
    this.#engine.pause = { at: asking.pausedAt, until: gate.promise };
    this.#send(turn);
  }

  #again(which: number): void {
    const keyed = this.turns.filter(
      ({ asking, isDeleted, isForgotten }) => asking.isKeyed && !isDeleted && !isForgotten,
    );
    const turn = keyed[which % Math.max(1, keyed.length)];
    if (turn !== undefined) this.#send(turn);
  }

  #send(turn: AskedTurn): void {
    const { asking, number, body } = turn;
    const headers = asking.isKeyed ? { "idempotency-key": `k${number}` } : {};
    this.#hold(async () => {
      const kills = this.#kills;
      const response = await post(paths[asking.kind], this.#authorization, body, headers);
      const id = response.headers.get("x-edgewise-response-id");
      if (response.ok && id !== null) turn.id = id;
      if (asking.how === "stream" && response.ok) {
        await this.#follow(response, id ?? "", 0);
        return;
      }
      const text = await response.text().catch(() => "cut");
      if (!asking.isKeyed || response.ok) this.#judge(`ask ${number}`, response, [200, 400, 404, 409], kills);
      else this.#judge(`ask ${number}`, response, [200, 400, 404, 409, 503], kills);
      this.log.push(`  ask ${number}: ${response.status} ${text.slice(0, 160)}`);
    });
  }

  #read(which: number): void {
    const turn = this.#known(which);
    if (turn?.id == null) return;
    const { id } = turn;
    const seen = this.#told.of(id);
    const from = seen[which % Math.max(1, seen.length)] ?? null;
    this.#hold(async () => {
      const kills = this.#kills;
      const position = from === null ? "" : `&starting_after=${from}`;
      const response = await send(`${paths[turn.asking.kind]}/${id}?stream=true${position}`, {
        headers: { authorization: this.#authorization },
      });
      this.#judge(`read ${turn.number}`, response, [200, 404, 400], kills);
      if (response.status === 200) await this.#follow(response, id, from === null ? 0 : from + 1);
      else await response.text();
    });
  }

  async #follow(response: Response, id: string, from: number): Promise<void> {
    for (const fault of await this.#told.read(response, id, from)) this.#fault(fault);
  }

  async #look(turn: AskedTurn | null): Promise<string> {
    if (turn?.id == null) return "unknown";
    const kills = this.#kills;
    const { id } = turn;
    const response = await send(`${paths[turn.asking.kind]}/${id}`, {
      headers: { authorization: this.#authorization },
    });
    const text = await response.text();
    this.#judge(`look ${turn.number}`, response, [200, 404, 409], kills);
    if (response.status === 409) return "running";
    if (response.status !== 200) return "unknown";
    if (turn.isDeleted) this.#fault(`turn ${turn.number} was deleted and is there: ${text.slice(0, 200)}`);
    const { status = "completed" } = JSON.parse(text) as { status?: string };
    if (status === "queued" || status === "in_progress") return "running";
    const before = this.#ends.get(id);
    if (before !== undefined && before !== text)
      this.#fault(`turn ${turn.number} ended as ${before} and as ${text}`);
    this.#ends.set(id, text);
    return status;
  }

  async #cancel(turn: AskedTurn | null): Promise<void> {
    if (turn?.id == null) return;
    const kills = this.#kills;
    const response = await send(`${paths[turn.asking.kind]}/${turn.id}/cancel`, {
      method: "POST",
      headers: { authorization: this.#authorization },
    });
    this.log.push(`  cancel ${turn.number}: ${response.status} ${(await response.text()).slice(0, 100)}`);
    this.#judge(`cancel ${turn.number}`, response, [200, 404], kills);
    if (response.status === 200 && (await this.#look(turn)) === "running")
      this.#fault(`turn ${turn.number} runs behind its cancel`);
  }

  async #delete(turn: AskedTurn | null): Promise<void> {
    if (turn?.id == null) return;
    const kills = this.#kills;
    const response = await send(`${paths[turn.asking.kind]}/${turn.id}`, {
      method: "DELETE",
      headers: { authorization: this.#authorization },
    });
    await response.text();
    this.log.push(`  delete ${turn.number}: ${response.status}`);
    this.#judge(`delete ${turn.number}`, response, [200, 404], kills);
    if (response.status !== 200) return;
    this.#ends.delete(turn.id);
    this.#told.forget(turn.id);
    turn.isDeleted = true;
  }

  async #forget(conversation: "first" | "second"): Promise<void> {
    const kills = this.#kills;
    const begun = this.turns.filter(({ asking }) => asking.conversation === conversation);
    const response = await send(`/v1/conversations/${conversation}`, {
      method: "DELETE",
      headers: { authorization: this.#authorization },
    });
    await response.text();
    this.log.push(`  forget ${conversation}: ${response.status}`);
    this.#judge(`forget ${conversation}`, response, [200, 404], kills);
    if (response.status !== 200) return;
    for (const turn of begun) {
      if (turn.id === null) continue;
      // Whoever has its beginning has seen it in the conversation; one that nobody waits for may come into the next of that name.
      if (turn.asking.how !== "background" || this.#ends.has(turn.id)) turn.isForgotten = true;
      this.#ends.delete(turn.id);
      this.#told.forget(turn.id);
    }
  }

  async #alarm(turn: AskedTurn | null): Promise<void> {
    const object = turn === null ? null : objectOf(turn);
    if (object !== null) await runDurableObjectAlarm(object());
  }

  async #expectGone(turn: AskedTurn): Promise<void> {
    expect(await this.#look(turn)).toBe("unknown");
  }

  async #expectItems(): Promise<void> {
    for (const conversation of ["first", "second"]) {
      const asked = (): Promise<Response> =>
        send(`/v1/conversations/${conversation}/items?order=asc&limit=100`, {
          headers: { authorization: this.#authorization },
        });
      const items = (await (await asked()).json()) as {
        data?: { type: string; role: string; content: { text: string }[] }[];
      };
      const data = (items.data ?? []).filter(({ type }) => type === "message");
      const roles = data.map(({ role }) => role);
      const texts = data.map(({ content }) => content.map(({ text }) => text).join(""));
      const questions = texts.filter((_, at) => roles[at] === "user");
      this.log.push(`  ${conversation}: ${roles.map((role, at) => `${role} ${texts[at]}`).join(" | ")}`);
      expect(new Set(questions).size).toBe(questions.length);
      for (const { number, isForgotten } of this.turns)
        if (isForgotten) expect(questions.join()).not.toContain(`question ${number}.`);
      // Who cancels a turn in the middle of its calls leaves a question without an answer.
      expect(roles.join(" ")).not.toContain("assistant assistant");
      expect(roles[0]).not.toBe("assistant");
      for (const text of texts.filter((_, at) => roles[at] === "assistant"))
        expect(words.join("").startsWith(text)).toBe(true);
    }
  }

  #hold(work: () => Promise<void>): void {
    const held: Promise<void> = work()
      .catch((error: unknown) => this.#fault(String(error)))
      .finally(() => this.#running.delete(held));
    this.#running.add(held);
  }

  /** What was under way in a kill may be 503. */
  #judge(what: string, response: Response, allowed: readonly number[], kills: number): void {
    if (allowed.includes(response.status)) return;
    if (response.status === 503 && kills !== this.#kills) return;
    this.#fault(`${what}: ${response.status}`);
  }

  #fault(what: string): void {
    this.faults.push(what);
    this.log.push(`  !! ${what}`);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
