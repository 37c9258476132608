/**
 * Thousands of generated bodies, valid and broken in every way, against the bundle as it ships: no 5xx, no hang, every
 * error in OpenAI's form, every answer whole. BODIES says how many (npm run test:bodies: 10,000), BODIES_SEED repeats a run.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { arbitraryChatBody, type GeneratedBody } from "../../node/arbitrary-chat-body.ts";
import { hasOpenAiSchema, openAiComplaints } from "../../node/openai-schema.ts";
import { dataOf, tokenFor } from "../callers.ts";
import { readRefused } from "./refused-form.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

const count = Number(process.env["BODIES"] ?? 1500);
const seed = Number(process.env["BODIES_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const clients = 16;
/** A user of the enterprise tier may send 6,000 requests a minute; nothing here may end in 429. */
const bodiesPerUser = 1000;

let world: ServeWorld;
beforeAll(async () => {
  world = await startServeWorld({ fleet: { quiet: true } });
});
afterAll(() => world.stop());

test(`${count} generated bodies (seed ${seed})`, { timeout: 60_000 + count * 60 }, async () => {
  const models = ["auto", "llama-3.1-8b", "llama-3.1-8b-raw", "qwen3-reason"];
  const bodies = fc.sample(arbitraryChatBody({ models, media: true }), { numRuns: count, seed });
  const statuses = new Map<string, number>();
  const faults: string[] = [];
  let next = 0;
  let token = "";
  const work = async (): Promise<void> => {
    for (let at = next++; at < bodies.length; at = next++) {
      if (at % bodiesPerUser === 0 || token === "") token = await tokenFor({ tier: "enterprise" });
      const body = bodies[at];
      if (body === undefined) return;
      const { outcome, fault } = await send(body, token);
      statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
      if (fault !== null) faults.push(`body ${at}: ${fault}\n${body.text.slice(0, 2000)}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
  const table = Object.fromEntries([...statuses].toSorted(([, one], [, other]) => other - one));
  // oxlint-disable-next-line no-console -- the figures are what a full run is for.
  console.log(JSON.stringify({ seed, count, ...table }));
  expect(faults.slice(0, 5)).toEqual([]);
  // What the engine itself refuses has reached it, too.
  const reached = (statuses.get("200") ?? 0) + (statuses.get("400 request_rejected") ?? 0);
  expect(reached).toBeGreaterThan(count / 5);
  expect((await world.post(token, bodies[0]?.text ?? "")).status).toBeLessThan(500);
});

async function send(
  body: GeneratedBody,
  token: string,
): Promise<{ readonly outcome: string; readonly fault: string | null }> {
  let response: Response;
  let text: string;
  try {
    response = await world.post(token, body.text, { signal: AbortSignal.timeout(20_000) });
    text = await response.text();
  } catch (error) {
    return { outcome: "hang", fault: `no answer: ${String(error)}` };
  }
  const { status } = response;
  if (status === 200) return { outcome: "200", fault: answerFault(text, response) };
  const { outcome, code, fault } = readRefused(status, text);
  if (fault !== null) return { outcome, fault };
  if (body.intent === "valid" && !isPlanned(code))
    return { outcome, fault: `a valid body was refused: ${text.slice(0, 300)}` };
  return { outcome, fault: null };
}

/** A valid body may ask a model for what it can't do, or for more than its window. */
function isPlanned(code: string | null): boolean {
  return code === "unsupported_parameter" || code === "context_length_exceeded";
}

function answerFault(text: string, response: Response): string | null {
  if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
    const [complaint] = hasOpenAiSchema
      ? openAiComplaints("CreateChatCompletionResponse", JSON.parse(text))
      : [];
    return complaint ?? null;
  }
  const events = dataOf(text);
  const last = events.at(-1) ?? "";
  if (last !== "[DONE]") {
    const event = JSON.parse(last) as { done?: boolean; error?: unknown };
    return event.done === true && event.error === undefined ? null : `ends with ${last.slice(0, 200)}`;
  }
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event) as Chunk);
  if (!chunks.some(({ choices }) => choices.some(({ finish_reason }) => finish_reason !== null)))
    return "a clean end without a finish_reason";
  if (!hasOpenAiSchema) return null;
  return chunks.flatMap((chunk) => openAiComplaints("CreateChatCompletionStreamResponse", chunk))[0] ?? null;
}

interface Chunk {
  readonly choices: readonly { readonly finish_reason: string | null }[];
}
