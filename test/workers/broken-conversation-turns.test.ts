/** An engine breaks off the answer of a conversation's turn: what of it is kept, and paid? What its client has had. */
import { expect, test } from "vitest";
import { bearer, post } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { itemsOf, say } from "./named-turn.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ breaking: {} });

test("who waits for a whole answer that breaks off has had nothing: nothing is kept or paid, and its library asks again as if for the first time", async () => {
  const authorization = await bearer("breaking", "ann");
  const ask = () => post("/v1/chat/completions", authorization, say("Hi", "whole"));
  engine.script = { deltas: [{ content: "Hel" }], finish: null };
  for (let time = 0; time < 2; time += 1) {
    const broken = await ask();
    expect(broken.status).toBe(503);
    expect(broken.headers.get("x-should-retry")).toBeNull();
    await broken.text();
  }
  engine.script = null;
  expect((await ask()).status).toBe(200);
  await eventually(async () =>
    expect((await itemsOf(authorization, "whole")).texts).toEqual(["user: Hi", "assistant: Hello there"]),
  );
  expect(JSON.stringify(engine.asked.at(-1)?.["messages"])).not.toContain('Hel"');
  await expectBill(authorization, 3, 12);
});

test("who reads along has had what was said: it is kept, and paid", async () => {
  const authorization = await bearer("breaking", "bea");
  // It can't go on from what it never says by itself, and there is no other engine.
  engine.tokens = ["Bye"];
  engine.script = { deltas: [{ content: "Hel" }], finish: null };
  const broken = await post("/v1/chat/completions", authorization, say("Hi", "read", { stream: true }));
  expect(await broken.text()).toContain("Hel");
  await eventually(async () =>
    expect((await itemsOf(authorization, "read")).texts).toEqual(["user: Hi", "assistant: Hel"]),
  );
  await expectBill(authorization, 1, 11);
});
