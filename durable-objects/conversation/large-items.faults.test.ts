/**
 * Whatever a conversation, its bucket, time and kills do, in whatever order: every large item is read whole, and in the end the bucket holds
 * what is there and nothing else.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { contentOf, files } from "../../test/workers/content-fixture.ts";
import { maxInlineBytes } from "../../src/shared/content/large-content.ts";
import { ContentLedger, intentMs } from "../storage/content-ledger.ts";
import { Conversation } from "./conversation.ts";
import { ConversationStore } from "./conversation-store.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

const asking = { v: 1, owner: { tenant: "demo", user: "alice" } } as const;
const everything = { ...asking, mustExist: false, limitItems: 100, limitTokens: 1_000_000 } as const;

const puts = ["well", "fails", "answer lost", "stands still"] as const;
const deletions = ["well", "fails", "answer lost"] as const;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      isLarge: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("bucket" as const),
      puts: fc.constantFrom(...puts),
      deletions: fc.constantFrom(...deletions),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("alarm" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("take out" as const), at: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("kill" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("go on" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.constantFrom(5_000, 60_000, intentMs) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The bucket as the steps have it. What is under way when its object is killed arrives or not, and nobody hears of it. */
class Bucket {
  puts: (typeof puts)[number] = "well";
  deletions: (typeof deletions)[number] = "well";
  #goOn = Promise.withResolvers<void>();
  readonly #underWay = new Set<Promise<unknown>>();

  /** @param isAlive whether its object is */
  as(isAlive: () => boolean): R2Bucket {
    const answer = (mode: string): void => {
      if (mode === "answer lost" || !isAlive()) throw new Error("no answer");
    };
    const begin = (mode: string): void => {
      if (mode === "fails" || !isAlive()) throw new Error("away");
    };
    return {
      put: async (key: string, text: string) => {
        begin(this.puts);
        if (this.puts === "stands still") await this.#goOn.promise;
        begin(this.puts);
        const putting = files.put(key, text);
        this.#underWay.add(putting);
        await putting;
        answer(this.puts);
      },
      get: (key: string) => files.get(key),
      delete: async (keys: string[]) => {
        begin(this.deletions);
        await files.delete(keys);
        answer(this.deletions);
      },
    } as unknown as R2Bucket;
  }

  goOn(): void {
    this.#goOn.resolve();
    this.#goOn = Promise.withResolvers();
  }

  /** No put lasts as long as what was only intended is left alone. */
  async rest(): Promise<void> {
    this.goOn();
    // What went on has begun its put by then.
    await Promise.resolve();
    await Promise.allSettled(this.#underWay);
  }
}

/** A conversation that is killed, and what should be in it. */
class Trial {
  readonly #state: DurableObjectState;
  readonly #bucket = new Bucket();
  #lives = 0;
  #object: Conversation;
  #incarnation = 1;
  #turns = 0;
  #kept: readonly string[] = [];

  constructor(state: DurableObjectState) {
    this.#state = state;
    this.#object = this.#begin();
  }

  async take(next: Step): Promise<void> {
    switch (next.do) {
      case "append":
        return this.#append(next.isLarge);
      case "take out":
        return this.#takeOut(next.at);
      case "delete":
        if ((await this.#object.delete(asking)).result === "deleted") this.#incarnation += 1;
        this.#kept = [];
        return;
      case "alarm":
        // It may stand still with its bucket.
        this.#state.waitUntil(this.#object.alarm());
        return;
      case "read":
        return this.read();
      case "kill":
        this.#object = this.#begin();
        return;
      case "time":
        await this.#bucket.rest();
        this.#pass(next.ms);
        return;
      case "bucket":
        this.#bucket.puts = next.puts;
        this.#bucket.deletions = next.deletions;
        return;
      case "go on":
        this.#bucket.goOn();
    }
  }

  async read(): Promise<void> {
    const outcome = await this.#object.history(everything);
    expect(outcome.result === "ok" && outcome.items.map(({ json }) => json)).toEqual(this.#kept);
  }

  /** All goes well from now on, until nothing is owed. Returns what is to lie in the bucket. */
  async settle(): Promise<readonly string[]> {
    this.#bucket.puts = "well";
    this.#bucket.deletions = "well";
    await this.#bucket.rest();
    // A killed object's code goes on here, as on Cloudflare it can't, and each of its runs may intend one put more that comes to nothing.
    for (let round = 0; round < 4 || (this.#isOwed() && round < 40); round += 1) {
      await this.#object.alarm();
      this.#pass(intentMs);
    }
    await this.#state.storage.deleteAlarm();
    return this.#kept.filter((json) => json.length > maxInlineBytes);
  }

  #begin(): Conversation {
    this.#lives += 1;
    const life = this.#lives;
    return new Conversation(this.#state, { ...env, FILES: this.#bucket.as(() => life === this.#lives) });
  }

  async #append(isLarge: readonly boolean[]): Promise<void> {
    this.#turns += 1;
    const texts = isLarge.map((large, at) =>
      JSON.stringify({ turn: this.#turns, at, text: large ? "x".repeat(maxInlineBytes) : "short" }),
    );
    const outcome = await this.#object.append({
      ...asking,
      id: "c",
      mustExist: false,
      incarnation: this.#incarnation,
      turnId: `t${this.#turns}`,
      items: texts.map((json) => ({ type: "message", role: "user", json })),
    });
    expect(outcome.result).toBe("appended");
    this.#kept = [...this.#kept, ...texts];
  }

  async #takeOut(at: number): Promise<void> {
    if (this.#kept.length <= at) return;
    const { items } = new ConversationStore(this.#state.storage, true).reader.everything(0, at + 1);
    await this.#object.deleteItem({ ...asking, itemId: items[at]?.id ?? "" });
    this.#kept = this.#kept.toSpliced(at, 1);
  }

  #isOwed(): boolean {
    const { large } = new ConversationStore(this.#state.storage, true);
    return large.hasToMove || large.ledger.countLeaving() > 0;
  }

  #pass(ms: number): void {
    const { storage } = this.#state;
    if (new ContentLedger(storage).countLeaving() > 0)
      storage.sql.exec("UPDATE content SET due_ms = due_ms - ?", ms);
  }
}

let made = 0;

test("every large item is read whole at every moment; when all has settled the bucket holds what is there, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24, size: "max" }), async (steps) => {
      made += 1;
      const name = `large-faults-${made}`;
      await runInDurableObject(env.CONVERSATION.getByName(name), async (_instance, state) => {
        const trial = new Trial(state);
        for (const next of steps) await trial.take(next);
        await trial.read();
        const there = await trial.settle();
        const keys = await contentOf(name);
        const lying = await Promise.all(keys.map(async (key) => (await files.get(key))?.text() ?? ""));
        expect(lying.toSorted()).toEqual(there.toSorted());
        await trial.read();
      });
    }),
    { numRuns: 20 },
  );
});

test("bytes that come behind their deletion, while that is on its way, are erased as well", async () => {
  await runInDurableObject(env.CONVERSATION.getByName("late-bytes"), async (_instance, { storage }) => {
    const ledger = new ContentLedger(storage);
    const key = "content/x/conversation/late-bytes/1-late";
    const nowMs = Date.now();
    ledger.intend(key, nowMs - intentMs);
    let deletions = 0;
    const bucket = {
      put: () => Promise.reject(new Error("nobody puts")),
      get: () => Promise.reject(new Error("nobody reads")),
      delete: async (keys: readonly string[]) => {
        await files.delete([...keys]);
        deletions += 1;
        if (deletions > 1) return;
        await files.put(key, "late");
        expect(ledger.hold(key)).toBe(false);
        ledger.doom(key, nowMs);
      },
    };
    await ledger.sweep(bucket, nowMs);
    expect(deletions).toBe(2);
    expect(await contentOf("late-bytes")).toEqual([]);
    expect(ledger.countLeaving()).toBe(0);
  });
});
