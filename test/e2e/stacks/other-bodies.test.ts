/**
 * Thousands of generated calls of the routes beside chat completions, valid and broken in every way, against the bundle as it
 * ships: no 5xx, no hang, every error in OpenAI's form. BODIES and BODIES_SEED as in bodies.test.ts.
 */
import * as fc from "fast-check";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeToken } from "../../../dev/commands/local-token.ts";
import { arbitraryCall, type CallTargets, type GeneratedCall } from "../../node/arbitrary-call.ts";
import { tokenFor } from "../callers.ts";
import { readRefused } from "./refused-form.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

const count = Number(process.env["BODIES"] ?? 600);
const seed = Number(process.env["BODIES_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const clients = 12;

let world: ServeWorld;
beforeAll(async () => {
  world = await startServeWorld({ fleet: { quiet: true } });
});
afterAll(() => world.stop());

test(
  `${count} generated calls of other routes (seed ${seed})`,
  { timeout: 60_000 + count * 60 },
  async () => {
    const tokens = {
      user: await tokenFor({ tier: "enterprise" }),
      admin: await makeToken(["--tenant", "demo", "--user", "boss", "--scope", "tenant:admin"]),
      platform: await makeToken(["--platform", "--scope", "platform:admin"]),
    };
    const client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: tokens.user, maxRetries: 0 });
    const calls = fc.sample(arbitraryCall(await targetsOf(client)), { numRuns: count, seed });
    const outcomes = new Map<string, number>();
    const faults: string[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < calls.length; at = next++) {
        const call = calls[at];
        if (call === undefined) return;
        const { outcome, fault } = await send(call, tokens[call.as]);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (fault !== null)
          faults.push(
            `call ${at}: ${fault}\n${call.method} ${call.path}\n${(call.text ?? "").slice(0, 1000)}`,
          );
      }
    };
    await Promise.all(Array.from({ length: clients }, work));
    const table = Object.fromEntries([...outcomes].toSorted(([, one], [, other]) => other - one));
    // oxlint-disable-next-line no-console -- the figures are what a full run is for.
    console.log(JSON.stringify({ seed, count, ...table }));
    expect(faults.slice(0, 5).map((fault) => `${fault}\n${loggedOf(fault)}`)).toEqual([]);
    expect(outcomes.get("200") ?? 0).toBeGreaterThan(count / 4);
  },
);

/** Why, as the log has it: an error names its request. */
function loggedOf(fault: string): string {
  const id = /\breq_[0-9a-f]{32}\b/.exec(fault)?.[0];
  return JSON.stringify(world.log.find(({ requestId }) => requestId === id)?.["errorDetail"] ?? null);
}

/** One of each thing that there is to be asked about. */
async function targetsOf(client: OpenAI): Promise<CallTargets> {
  const [model, content] = ["llama-3.1-8b", "Basalt is a volcanic rock."];
  const file = await client.files.create({
    file: await toFile(Buffer.from(content), "rock.txt"),
    purpose: "assistants",
  });
  const store = await client.vectorStores.create({ file_ids: [file.id] });
  const conversation = await client.conversations.create({});
  const response = await client.responses.create({ model, input: content });
  const completion = await client.chat.completions.create({
    model,
    store: true,
    messages: [{ role: "user", content }],
  });
  return {
    models: ["auto", "llama-3.1-8b", "qwen3-reason"],
    store: store.id,
    file: file.id,
    conversation: conversation.id,
    response: response.id,
    completion: completion.id,
    tenant: "generated",
  };
}

interface Sent {
  readonly outcome: string;
  readonly fault: string | null;
}

async function send(call: GeneratedCall, token: string): Promise<Sent> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(world.url + call.path, {
      method: call.method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(call.text === null ? {} : { "content-type": call.contentType }),
      },
      ...(call.text === null ? {} : { body: call.text }),
      signal: AbortSignal.timeout(20_000),
    });
    text = await response.text();
  } catch (error) {
    return { outcome: "hang", fault: `no answer: ${String(error)}` };
  }
  const { status } = response;
  if (status === 200) return { outcome: "200", fault: await forget(call, text, token) };
  const { outcome, code, fault } = readRefused(status, text);
  if (fault !== null) return { outcome, fault };
  if (call.intent === "valid" && !isPlanned(call, code))
    return { outcome, fault: `a valid call was refused: ${text.slice(0, 300)}` };
  return { outcome, fault: null };
}

/** A valid call may ask a model for what it can't do, and changes of one tenant go one at a time. */
function isPlanned({ method }: GeneratedCall, code: string | null): boolean {
  return code === "unsupported_parameter" || (method === "PUT" && code === "conflict");
}

/** Vector stores and files are made by hundreds, and a user may have a hundred: each goes at once. */
async function forget(call: GeneratedCall, text: string, token: string): Promise<string | null> {
  if (call.method !== "POST" || !["/v1/vector_stores", "/v1/files"].includes(call.path)) return null;
  const { id } = JSON.parse(text) as { readonly id: string };
  const gone = await fetch(`${world.url}${call.path}/${id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
  await gone.arrayBuffer();
  return gone.status === 200 ? null : `what was made could not be deleted: ${gone.status}`;
}
