/**
 * The product is killed (SIGKILL) in mid-answer and started again on the same state: no delivered token is lost or repeated,
 * the answer ends within a minute, and there is one bill. KILLS says how often (npm run test:kill: 12), KILL_SEED
 * repeats a run.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenFor } from "../callers.ts";
import { startRestartedProduct, type RestartedProduct } from "./restarted-product.ts";

const kills = Number(process.env["KILLS"] ?? 2);
const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const endsWithinMs = 60_000;
const question = {
  model: "llama-3.1-8b",
  temperature: 0,
  max_tokens: 60,
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: "Explain quantum computing to a gardener, at length." }],
};

let product: RestartedProduct;
beforeAll(async () => {
  product = await startRestartedProduct({ ttftMs: 5, tokenMs: 20 });
});
afterAll(() => product.stop());

function ask(token: string, key: string): Promise<Response> {
  return fetch(`${product.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify(question),
  });
}

interface Told {
  readonly ids: readonly number[];
  readonly content: string;
  readonly finishes: readonly string[];
  readonly totalTokens: number | null;
  readonly ends: number;
  readonly errors: number;
}

function read(text: string): Told {
  const blocks = text
    .split("\n\n")
    .slice(0, -1)
    .filter((block) => block.includes("data: "));
  const events = blocks
    .map((block) => block.slice(block.indexOf("data: ") + 6))
    .filter((data) => data !== "[DONE]")
    .map(
      (data) =>
        JSON.parse(data) as {
          choices?: { delta: { content?: string }; finish_reason: string | null }[];
          usage?: { total_tokens: number } | null;
          error?: unknown;
        },
    );
  return {
    ids: blocks.map((block) => Number(/^id: (\d+)$/m.exec(block)?.[1])),
    content: events.map(({ choices }) => choices?.[0]?.delta.content ?? "").join(""),
    finishes: events.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? []),
    totalTokens:
      events.findLast(({ usage }) => usage !== undefined && usage !== null)?.usage?.total_tokens ?? null,
    ends: blocks.filter((block) => block.endsWith("data: [DONE]")).length,
    errors: events.filter(({ error }) => error !== undefined).length,
  };
}

/** Whole events until there are `count` of them; then the product is killed. What came after them is still read. */
async function readAndKill(response: Response, count: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error("no body");
  const decoder = new TextDecoder();
  let text = "";
  let ended: Promise<void> | null = null;
  for (;;) {
    const piece = await reader.read().catch(() => null);
    if (piece === null || piece.done) break;
    text += decoder.decode(piece.value, { stream: true });
    if (ended !== null || read(text).ids.length < count) continue;
    ended = product.kill();
  }
  if (ended === null) throw new Error(`the answer ended before event ${count}`);
  await ended;
  return text.slice(0, text.lastIndexOf("\n\n") + 2);
}

/** A small generator of its own, so that a seed repeats a run. */
function* numbers(from: number): Generator<number> {
  for (let value = from >>> 0; ;) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    yield value / 2 ** 32;
  }
}

test(
  `${kills} kills in mid-answer (seed ${seed})`,
  { timeout: 60_000 + kills * (endsWithinMs + 15_000) },
  async () => {
    const whole = read(await (await ask(await tokenFor({}), "reference")).text());
    expect(whole).toMatchObject({ ends: 1, errors: 0 });
    const random = numbers(seed);
    for (let kill = 0; kill < kills; kill += 1) {
      const k = 1 + Math.floor((random.next().value ?? 0) * (whole.ids.length - 6));
      const about = `killed after event ${k}`;
      const token = await tokenFor({});
      const response = await ask(token, "killed");
      const id = response.headers.get("x-edgewise-response-id") ?? "";
      const seen = await readAndKill(response, k);
      await product.start();
      const backAtMs = Date.now();
      const resumed = await fetch(`${product.url}/v1/chat/completions/${id}?stream=true`, {
        headers: { authorization: `Bearer ${token}`, "last-event-id": String(read(seen).ids.at(-1)) },
      });
      const text = seen + (await resumed.text());
      expect(Date.now() - backAtMs, about).toBeLessThan(endsWithinMs);
      const told = read(text);
      expect(told, about).toMatchObject({
        ids: Array.from({ length: told.ids.length }, (_, at) => at),
        content: whole.content,
        finishes: whole.finishes,
        totalTokens: whole.totalTokens,
        ends: 1,
        errors: 0,
      });
      expect(await (await ask(token, "killed")).text(), about).toBe(text);
      await expect
        .poll(
          async () => {
            const usage = await fetch(`${product.url}/v1/usage`, {
              headers: { authorization: `Bearer ${token}` },
            });
            return ((await usage.json()) as { user: { used: unknown } }).user.used;
          },
          { message: about },
        )
        .toMatchObject({ requests: 1, tokens: whole.totalTokens });
    }
  },
);
