import { expect, test } from "vitest";
import { costOf } from "../stream/wire-usage.ts";
import { pricedUse } from "./durable/chat-turn-end.ts";
import { pricedBy, writeNote } from "./durable/run-note.ts";
import { turnUse } from "./ending.ts";

const price = { input: 10, output: 20, cached_input: 1 };
const usage = { promptTokens: 100, completionTokens: 10, cachedTokens: 80, reasoningTokens: 0 };

test("a turn is charged by the price of its cached tokens, and its client is told the same", () => {
  expect(turnUse({ usage }, price, "m")).toMatchObject({ tokens: 110, microdollars: 480 });
  expect(costOf(usage, price)).toBe(0.00048);
});

test("a turn that goes on, or ends, elsewhere is charged by the price that it began with, cached tokens as well", () => {
  const note = writeNote({
    model: "m",
    cluster: "c",
    replica: "r",
    entered: null,
    price: { version: "1", ...price },
  });
  expect(pricedUse({ usage }, pricedBy(note), "m").microdollars).toBe(480);
});
