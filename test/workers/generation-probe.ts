import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { StartOutcome, StartTurn } from "../../src/shared/contracts/generation.ts";
import type { JournalEvent } from "../../src/shared/turn/durable/ports.ts";
import { type Control, controlOf, type Script, settlement, type Step } from "./scripted-generation.ts";

/** One scripted turn in an object of its own, and what a client sees of it. */
export const owner = { tenant: "demo", user: "alice" };
export const stranger = { tenant: "demo", user: "bob" };
export const usage = { promptTokens: 10, completionTokens: 5, cachedTokens: 0, reasoningTokens: 0 };

let made = 0;

export function events(count: number, size = 0): JournalEvent[] {
  return Array.from({ length: count }, (_, at) => ({
    data: JSON.stringify({ token: `${at}é${"x".repeat(size)}` }),
  }));
}

export function emits(list: readonly JournalEvent[]): Step[] {
  return list.map((emit) => ({ emit }));
}

export class Probe {
  readonly turnId: string;
  readonly control: Control;

  constructor() {
    made += 1;
    this.turnId = `turn-${made}-${crypto.randomUUID()}`;
    this.control = controlOf(this.turnId);
  }

  /** Made anew each time: a stub of an aborted object stays broken. */
  get stub(): ReturnType<typeof env.SCRIPTED_GENERATION.getByName> {
    return env.SCRIPTED_GENERATION.getByName(this.turnId);
  }

  message(script: Partial<Script>, more: Partial<StartTurn> = {}): StartTurn {
    const whole: Script = {
      turnId: this.turnId,
      steps: [],
      end: {
        status: "completed",
        events: [{ data: '{"finish":"stop"}' }, { data: "[DONE]" }],
        response: '{"answer":"whole"}',
        usage,
        basis: "exact",
        effects: [settlement(this.turnId, 15)],
      },
      ...script,
    };
    return {
      v: 1,
      owner,
      turnId: this.turnId,
      fingerprint: null,
      policy: { intervalMs: 50, replayMs: 600_000, retentionMs: 86_400_000, deadlineMs: 600_000 },
      request: JSON.stringify(whole),
      follow: { kind: "stream", read: { from: 0, ids: true } },
      ...more,
    };
  }

  async start(script: Partial<Script>, more: Partial<StartTurn> = {}): Promise<ReadableStream<Uint8Array>> {
    return streamOf(await this.stub.start(this.message(script, more)));
  }

  async read(from: number, ids = true): Promise<string> {
    const outcome = await this.stub.read({ v: 1, owner, read: { from, ids } });
    if (outcome.result !== "stream") throw new Error(outcome.result);
    return new Response(outcome.stream).text();
  }
}

export function streamOf(outcome: StartOutcome): ReadableStream<Uint8Array> {
  if (outcome.result !== "stream") throw new Error(JSON.stringify(outcome));
  return outcome.stream;
}

/** The text of a stream until it holds `count` events; the reader goes on with the next call. */
export class Following {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async until(count: number): Promise<string> {
    while (blocks(this.text).length < count) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`the stream ended after ${blocks(this.text).length} events`);
      this.text += this.#decoder.decode(value, { stream: true });
    }
    return this.text;
  }

  /** To the end; `cut` where the stream broke. */
  async rest(): Promise<"ended" | "cut"> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return "ended";
        this.text += this.#decoder.decode(value, { stream: true });
      }
    } catch {
      return "cut";
    }
  }

  async leave(): Promise<void> {
    await this.#reader.cancel();
  }
}

/** The whole events in a text, comments left out. */
export function blocks(text: string): string[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .filter((block) => !block.startsWith(":"));
}

export function ids(text: string): number[] {
  return blocks(text).map((block) => Number(/^id: (\d+)$/m.exec(block)?.[1]));
}

/** What a test changes of a turn on disk, as time or a fault would; the object's memory is thrown away afterwards. */
export interface StoredTurn {
  createdMs: number;
  endedMs: number | null;
  request: string | null;
  response: string | null;
  outbox: { id: number; effect: string | null; attempts: number; dueMs: number }[];
  listed?: { owed: { attempts: number; dueMs: number } | null };
}

export function storedTurn({ storage }: DurableObjectState): StoredTurn {
  const stored = storage.kv.get<StoredTurn>("turn");
  if (stored === undefined) throw new Error("nothing is stored");
  return stored;
}

/** Changes the turn on disk and lets the object forget what it knew of it. */
export async function changeStored<T extends Rpc.DurableObjectBranded>(
  stub: DurableObjectStub<T>,
  change: (stored: StoredTurn) => void,
): Promise<void> {
  await runInDurableObject(stub, (_object, state: DurableObjectState) => {
    const stored = storedTurn(state);
    change(stored);
    state.storage.kv.put("turn", stored);
  });
  await evictDurableObject(stub);
}
