/** `npm start -- --archive` and `npm run archive` as a newcomer uses them: turns arrive, a deletion takes their content. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeToken } from "../../../dev/commands/local-token.ts";
import { freePort } from "../../../dev/start/free-ports.ts";
import { tokenFor, unique } from "../callers.ts";
import { runScript, startStack, type Stack } from "../stack.ts";

let stack: Stack;
let environment: Record<string, string>;

beforeAll(async () => {
  environment = { ARCHIVE_PORT: String(await freePort()), ARCHIVE_DATABASE_URL: "" };
  const state = mkdtempSync(join(tmpdir(), "edgewise-e2e-archive-"));
  stack = await startStack({
    environment: { ...environment, ROUTER: "in-process" },
    state,
    flags: ["--archive"],
  });
});
afterAll(() => stack.stop());

async function chat(authorization: string, body: object): Promise<void> {
  const response = await fetch(`${stack.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ model: "auto", max_tokens: 8, ...body }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
}

async function archive(...words: readonly string[]): Promise<string> {
  const { output } = await runScript(["dev/archive.ts", ...words], environment);
  return output.trim();
}

test("a turn is in the archive with its content; deleted, its charge alone is left", async () => {
  const authorization = `Bearer ${await tokenFor()}`;
  const conversation = unique("archived");
  const said = unique("remember");
  expect(await archive("migrate")).toBe("The schema is up to date.");
  await chat(authorization, { conversation_id: conversation, messages: [{ role: "user", content: said }] });
  await chat(authorization, { messages: [{ role: "user", content: "only once" }] });
  await expect.poll(async () => archive("list")).toMatch(/ direct .*content left-out:none/);
  await expect.poll(async () => archive("list")).toContain(said);
  expect(await archive("list")).toMatch(/ durable .*\+8 tokens.*content inline/);
  await fetch(`${stack.url}/v1/conversations/${conversation}`, {
    method: "DELETE",
    headers: { authorization },
  });
  await expect.poll(async () => archive("list")).not.toContain(said);
  expect(await archive("list")).toMatch(/ durable .*\+8 tokens/);
  const metrics = `Bearer ${await makeToken(["--platform", "--scope", "platform:metrics"])}`;
  // They are told in the background.
  await expect
    .poll(async () => (await fetch(`${stack.url}/metrics`, { headers: { authorization: metrics } })).text())
    .toMatch(/^edgewise_archive_messages_total\{result="written"\} [3-9]$/m);
  expect(await archive("dead")).toBe("No dead letters.");
  expect(await archive("replay")).toBe("0 written, 0 left");
  expect(await archive("sing")).toContain("usage: npm run archive");
});
