/** What was told to buckets and conversations of one user's turns, where telling fails as a test wants it, and whether it is what was delivered. */
import { listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { Conversation } from "../../durable-objects/conversation/conversation.ts";
import { TokenBucket } from "../../durable-objects/token-bucket/token-bucket.ts";
import { call, words } from "./asked-turns.ts";
import { send } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";

type When = "before" | "after";

/** What the buckets were told of a charge, each time. */
interface Settled {
  readonly tokens: number;
  readonly requests: number;
}

export class TurnBills {
  readonly #user: string;
  /** By charge, each time that it was told. */
  readonly #settled = new Map<string, Settled[]>();
  /** The next deliveries fail, before they are heard or behind that. */
  readonly failures: { readonly append: When[]; readonly settle: When[] } = { append: [], settle: [] };

  constructor(user: string) {
    this.#user = user;
  }

  /** Deliveries of ended turns are watched, and fail where a step says so. @returns what ends that */
  watch(): () => void {
    const settled = this.#settled;
    const failures = this.failures;
    const user = this.#user;
    const apply = Reflect.get(TokenBucket.prototype, "apply");
    const ofBucket = vi.spyOn(TokenBucket.prototype, "apply").mockImplementation(function (
      this: TokenBucket,
      batch,
    ) {
      const name = (this as unknown as { ctx: DurableObjectState }).ctx.id.name ?? "";
      const settling = batch.acknowledge === "now";
      const when = settling ? failures.settle.shift() : undefined;
      if (when === "before") throw new Error("the bucket fails, as it was told");
      const reply = apply.call(this, batch);
      if (settling && name.includes(user))
        for (const operation of batch.operations)
          if (operation.type === "settle" && operation.receipt === null) {
            const { tokens, requests } = operation.used;
            settled.set(operation.id, [...(settled.get(operation.id) ?? []), { tokens, requests }]);
          }
      if (when === "after")
        return Promise.resolve(reply).then(() => {
          throw new Error("the bucket's answer is lost, as it was told");
        });
      return reply;
    });
    const append = Reflect.get(Conversation.prototype, "append");
    const ofConversation = vi.spyOn(Conversation.prototype, "append").mockImplementation(async function (
      this: Conversation,
      message,
    ) {
      const when = failures.append.shift();
      if (when === "before") throw new Error("the conversation fails, as it was told");
      const outcome = await append.call(this, message);
      if (when === "after") throw new Error("the conversation's answer is lost, as it was told");
      return outcome;
    });
    return () => {
      ofBucket.mockRestore();
      ofConversation.mockRestore();
    };
  }

  /** Every charge is settled once, by what was delivered, and the bucket says so. */
  async expectBills(authorization: string): Promise<void> {
    for (const id of await this.objects())
      await eventually(async () => {
        await runDurableObjectAlarm(env.GENERATION.get(id));
        await runInDurableObject(env.GENERATION.get(id), (_object, { storage }) => {
          const stored = storage.kv.get<Stored>("turn");
          if (stored !== undefined) this.#expectBill(stored);
        });
      });
    let tokens = 0;
    let requests = 0;
    for (const told of this.#settled.values()) {
      const used = told.filter((one) => one.requests > 0);
      expect(new Set(used.map((one) => one.tokens)).size).toBeLessThanOrEqual(1);
      tokens += used[0]?.tokens ?? 0;
      requests += used[0]?.requests ?? 0;
    }
    await eventually(async () => {
      const usage = await send("/v1/usage", { headers: { authorization } });
      expect(await usage.json()).toMatchObject({
        user: { used: { requests, tokens }, reserved: { tokens: 0 } },
      });
    });
  }

  #expectBill({ outbox, status, bill, turnId, request, response }: Stored): void {
    expect(outbox).toEqual([]);
    expect(status).not.toBe("running");
    const { promptTokens = 0, completionTokens = 0 } = bill ?? {};
    const told = this.#settled.get(turnId) ?? [];
    if (told.length === 0) expect(completionTokens).toBe(0);
    for (const { tokens } of told)
      expect(tokens).toBe(completionTokens === 0 ? 0 : promptTokens + completionTokens);
    // What calls cost is in no text.
    const said = request?.includes(call) === false ? saidIn(response) : null;
    if (said !== null) expect(said).toBe(completionTokens);
  }

  /** Of all turns, also of those whose client was never told their ids. */
  async objects(): Promise<readonly DurableObjectId[]> {
    const own: DurableObjectId[] = [];
    for (const id of await listDurableObjectIds(env.GENERATION)) {
      if (others.has(id.toString())) continue;
      const owner = await runInDurableObject(
        env.GENERATION.get(id),
        (_object, { storage }) => storage.kv.get<Stored>("turn")?.owner.user,
      );
      if (owner === this.#user) own.push(id);
      else if (owner !== undefined) others.add(id.toString());
    }
    return own;
  }
}

/** Objects of other users' turns, who came before. */
const others = new Set<string>();

interface Stored {
  readonly owner: { readonly user: string };
  readonly turnId: string;
  readonly status: string;
  readonly outbox: readonly unknown[];
  readonly request: string | null;
  readonly response: string | null;
  readonly bill: { readonly promptTokens: number; readonly completionTokens: number } | null;
}

/** Words of the answer. */
function saidIn(response: string | null): number | null {
  if (response === null) return null;
  const [first = ""] = response.split("\n");
  const { choices, output } = JSON.parse(first) as {
    choices?: { message: { content: string | null } }[];
    output?: { content: { text: string }[] }[];
  };
  const texts = choices?.map(({ message }) => message.content ?? "") ?? [output?.[0]?.content[0]?.text ?? ""];
  return texts
    .map((text) => words.filter((_, at) => words.slice(0, at + 1).join("").length <= text.length).length)
    .reduce((all, one) => all + one, 0);
}
