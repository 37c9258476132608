/** `npm start` as a newcomer uses it: other servers take the dev fleet's place, faults are sentences, ends leave nothing. */
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startFleet } from "../../../dev/origin/fleet.ts";
import { freePort } from "../../../dev/start/free-ports.ts";
import { dataOf, tokenFor, unique, until } from "../callers.ts";
import { descendantsOf, leftOf, runScript, startStack, type Stack } from "../stack.ts";
import { startMinimalServer } from "./minimal-server.ts";

const messages = [{ role: "user", content: "Hello" }];

async function chat(stack: Stack, token: string, body: Record<string, unknown>): Promise<string> {
  const response = await fetch(`${stack.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return text;
}

interface Usage {
  readonly limits: readonly { readonly name: string; readonly used: number }[];
  readonly used: { readonly requests: number; readonly tokens: number };
  readonly reserved: { readonly tokens: number };
}

async function usage(stack: Stack, token: string): Promise<Usage> {
  const response = await fetch(`${stack.url}/v1/usage`, { headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as { user: Usage }).user;
}

describe("what is wrong is said in a sentence", () => {
  test.each(["PORT", "DEV_FLEET_PORT"])("%s is taken", async (variable) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const free = await freePort();
    const environment = { PORT: String(free), DEV_FLEET_PORT: String(port), [variable]: String(port) };
    const { code, output } = await runScript(["dev/start.ts"], environment);
    expect(code).toBe(1);
    expect(output.trim()).toMatch(new RegExp(`^Port ${port} is taken\\. .*${variable}=\\d+ npm start$`));
    server.close();
  });

  test.each([
    { what: "a port that is none", environment: { PORT: "eighty" }, says: "PORT=eighty is not a port" },
    {
      what: "no server behind ORIGIN_URL",
      environment: { ORIGIN_URL: "http://127.0.0.1:9" },
      says: "ORIGIN_URL=http://127.0.0.1:9: no answer from",
    },
    { what: "no URL at all", environment: { ORIGIN_URL: "localhost" }, says: "is not an http(s) URL" },
    { what: "no file behind FLEET", environment: { FLEET: "/nowhere.json" }, says: "FLEET=/nowhere.json" },
    { what: "an odd router", environment: { ROUTER: "both" }, says: 'ROUTER=both is neither "service"' },
  ])("$what", async ({ environment, says }) => {
    const { code, output } = await runScript(["dev/start.ts"], {
      PORT: String(await freePort()),
      ...environment,
    });
    expect(code).toBe(1);
    expect(output).toContain(says);
    expect(output).not.toMatch(/\n\s+at /);
  });
});

test("ORIGIN_URL puts a server in place that knows neither usage nor metrics nor a tokenizer", async () => {
  const server = await startMinimalServer();
  const stack = await startStack({ environment: { ORIGIN_URL: server.url, ROUTER: "in-process" } });
  try {
    const token = await tokenFor();
    const streamed = await chat(stack, token, { model: "auto", messages, stream: true });
    const events = dataOf(streamed);
    expect(events.at(-1)).toBe("[DONE]");
    expect(streamed).toContain("small");
    const whole = JSON.parse(await chat(stack, token, { model: "tiny", messages, max_tokens: 20 })) as {
      choices: [{ message: { content: string } }];
      usage: { completion_tokens: number };
    };
    expect(whole.choices[0].message.content).toBe("Hello from a small server.");
    // Estimated, since nobody counted.
    expect(whole.usage.completion_tokens).toBeGreaterThan(2);
    await until(async () => {
      const { used, reserved } = await usage(stack, token);
      return reserved.tokens === 0 && used.requests === 2 && used.tokens > 10;
    });
    for (const body of server.chats.slice(-2)) expect(Object.keys(body)).not.toContain("cache_salt");
  } finally {
    await stack.stop();
    await server.close();
  }
});

test("FLEET takes clusters from a file, and ORIGIN_URL one vLLM with all that it can", async () => {
  const fleet = await startFleet({ basePort: 0, replicas: 2, ttftMs: 0, tokenMs: 0 });
  const file = join(tmpdir(), `${unique("fleet")}.json`);
  await writeFile(file, JSON.stringify(fleet.fleet));
  try {
    const byFile = await startStack({ environment: { FLEET: file } });
    const answered = await chat(byFile, await tokenFor(), { model: "llama-3.1-8b", messages });
    await byFile.stop();
    expect(answered).toContain("stand-in");
    expect(fleet.replicas.flatMap((replica) => replica.requests())).not.toEqual([]);

    const [one] = fleet.replicas;
    if (one === undefined) throw new Error("no replica");
    one.clearRequests();
    // As people paste it, with the path of an OpenAI client's base URL.
    const byUrl = await startStack({ environment: { ORIGIN_URL: `${one.url}/v1/` } });
    await chat(byUrl, await tokenFor(), { model: "auto", messages, stream: true });
    await byUrl.stop();
    const chats = one.requests().filter(({ path }) => path === "/v1/chat/completions");
    expect(chats.at(-1)?.body).toMatchObject({
      stream_options: { include_usage: true, continuous_usage_stats: true },
      cache_salt: expect.stringMatching(/./),
    });
  } finally {
    await fleet.stop();
    await rm(file);
  }
});

test("FLEET with a server that is not there yet: it starts, says for what it waits, and answers once the server comes", async () => {
  const port = await freePort();
  const file = join(tmpdir(), `${unique("fleet")}.json`);
  const record = { id: "late", served_name: "meta-llama/Llama-3.1-8B-Instruct", context_window: 32_768 };
  const replicas = [{ id: "r", url: `http://127.0.0.1:${port}` }];
  const clusters = [{ id: "c", region: "here", replicas, models: [record] }];
  await writeFile(file, JSON.stringify({ clusters, aliases: { auto: { models: ["late"] } } }));
  const stack = await startStack({ environment: { FLEET: file } });
  try {
    expect(await readFile(stack.logFile, "utf8")).toContain("no server of auto answers yet");
    const token = await tokenFor();
    await expect(chat(stack, token, { model: "auto", messages })).rejects.toThrow(/^503 /);
    const fleet = await startFleet({ ports: [port], ttftMs: 0, tokenMs: 0 });
    await until(async () => (await fetch(`${stack.url}/health/ready`)).ok);
    expect(await chat(stack, token, { model: "late", messages })).toContain("stand-in");
    await fleet.stop();
  } finally {
    await stack.stop();
    await rm(file);
  }
});

test("a kill of npm start leaves no process that goes on serving", async () => {
  const stack = await startStack();
  const [start = 0, ...family] = await descendantsOf(stack.process.pid ?? 0);
  expect(family.length).toBeGreaterThan(1);
  process.kill(start, "SIGKILL");
  expect(await leftOf(family)).toEqual([]);
  await rm(stack.state, { recursive: true, force: true });
});

test("state survives a restart: a free user's hour is still spent, a tenant is still there", async () => {
  const first = await startStack();
  const token = await tokenFor({ tier: "free" });
  for (let at = 0; at < 3; at += 1) await chat(first, token, { model: "auto", messages, max_tokens: 1 });
  const before = await until(async () => {
    const now = await usage(first, token);
    return now.reserved.tokens === 0 && now.used.requests === 3 && now;
  });
  await first.stop({ keepState: true });
  const state = { EDGEWISE_STATE: join(first.state, "state") };
  const listed = await runScript(["dev/tenant.ts", "list"], state);
  expect(listed.output.trim().split("\n")).toContain("demo");
  const second = await startStack({ state: first.state });
  const after = await usage(second, token);
  const hour = ({ limits }: Usage) => limits.find(({ name }) => name === "requests_per_hour")?.used ?? 0;
  // A bucket that was in use when the process ended counts the head-room of its last write as used, and never less than before.
  expect(hour(after)).toBeGreaterThanOrEqual(hour(before));
  expect(hour(after)).toBeLessThan(30);
  await second.stop({ keepState: true });
  // `npm run reset` forgets it.
  expect((await runScript(["dev/reset.ts"], state)).code).toBe(0);
  expect(await readdir(state.EDGEWISE_STATE)).toEqual([]);
  await rm(first.state, { recursive: true });
});
