import { expect, test } from "vitest";
import type { OriginOutcome } from "../routing/ports.ts";
import { readVerdict } from "./judge.ts";

async function verdictOf(text: string) {
  const reported: OriginOutcome[] = [];
  const read = await readVerdict(
    {
      status: 200,
      contentType: "application/json",
      text,
      firstChunk: null,
      body: null,
      cluster: "eu-west",
      replica: "eu-west-1",
      attempts: 1,
      arrived: () => undefined,
      report: (outcome) => void reported.push(outcome),
    },
    "llama-guard-3-8b",
    10,
  );
  return { read, reported };
}

const saying = (content: unknown) => JSON.stringify({ choices: [{ message: { content } }] });

test("a verdict is read, and its replica did well", async () => {
  const { read, reported } = await verdictOf(saying("unsafe\nS10"));
  expect(read).toMatchObject({ ok: true, value: { model: "llama-guard-3-8b" } });
  expect(reported).toEqual(["done"]);
});

test("whoever talks a guard out of its office opens no breaker of its replica, which others need", async () => {
  const { read, reported } = await verdictOf(saying("Of course!"));
  expect(read).toMatchObject({ ok: false, error: { answered: { usage: { promptTokens: 10 } } } });
  expect(reported).toEqual(["done"]);
});

test("a guard that thinks until its tokens are over has answered, too", async () => {
  const { read, reported } = await verdictOf(saying(null));
  expect(read).toMatchObject({ ok: false, error: { answered: { model: "llama-guard-3-8b" } } });
  expect(reported).toEqual(["done"]);
});

test.each([
  ["no JSON", "unsafe"],
  ["no message", JSON.stringify({ choices: [{}] })],
  ["an error", JSON.stringify({ error: { message: "out of memory" } })],
])("%s is a fault of the replica", async (_, text) => {
  const { read, reported } = await verdictOf(text);
  expect(read).toMatchObject({ ok: false, error: { answered: null } });
  expect(reported).toEqual(["origin-error"]);
});
