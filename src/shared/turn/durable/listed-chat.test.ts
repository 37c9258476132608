import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import { answerWithMetadata, askedMessages, keptAnswer, listedBy, withListing } from "./listed-chat.ts";

const answer = {
  id: "chatcmpl-1",
  model: "m",
  createdSeconds: 1,
  choices: [{ content: "a}", reasoning: null, toolCalls: [], finishReason: "stop" }],
  usage: { promptTokens: 1, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 },
  price: undefined,
};

function request(chat: object, more: object = {}): ChatTurnRequest {
  return {
    chat: { model: "auto", messages: [], ...chat },
    stored: true,
    responseId: "chatcmpl-1",
    principal: { tenant: "acme", user: "ann" },
    tenant: { jurisdiction: "eu" },
    ...more,
  } as unknown as ChatTurnRequest;
}

test.for([
  ["stored", request({ store: true }), true, true],
  ["not asked to be stored", request({}), false, false],
  ["asked not to be", request({ store: false }), false, false],
  ["of a tenant that keeps nothing", request({ store: true }, { stored: false }), false, false],
  ["of a response, whose list nobody is shown", request({ store: true }, { response: {} }), false, true],
] as const)("one that is %s: its end says so", ([, asked, isShown, isListed]) => {
  expect("metadata" in (JSON.parse(keptAnswer(asked, answer)) as object)).toBe(isShown);
  const owner = { tenant: "acme", user: "ann" };
  const list = { kind: "list", jurisdiction: "eu", owner, responseId: "chatcmpl-1" };
  expect(withListing([], { response: "{}" }, asked)).toEqual(isListed ? [list] : []);
  // Nothing is to be had by its id.
  expect(withListing([], { response: null }, asked)).toEqual([]);
});

test("metadata stand in the object that is kept, until others do", () => {
  const metadata = { 'k"': "}", l: "" };
  const kept = keptAnswer(request({ store: true, metadata }), answer);
  expect(JSON.parse(kept)).toMatchObject({ id: "chatcmpl-1", metadata });
  expect(listedBy(kept)).toEqual({ model: "m", metadata: JSON.stringify(metadata) });
  const changed = answerWithMetadata(kept, '{"new":"1"}');
  expect(JSON.parse(changed)).toEqual({ ...(JSON.parse(kept) as object), metadata: { new: "1" } });
});

test("pages of any length, either way, give every message once, in order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom("asc" as const, "desc" as const),
      (count, limit, order) => {
        const messages = Array.from({ length: count }, (_, at) => ({ role: "user", content: `${at}` }));
        const seen: number[] = [];
        for (let after: number | null = null, more = true; more;) {
          const page = askedMessages(request({ messages }), { after, limit, order });
          const told = JSON.parse(page.messages ?? "[]") as [number, { content: string }][];
          expect(told.every(([number, { content }]) => content === String(number))).toBe(true);
          seen.push(...told.map(([number]) => number));
          after = seen.at(-1) ?? null;
          more = page.hasMore;
        }
        const all = messages.map((_, at) => at);
        expect(seen).toEqual(order === "asc" ? all : all.toReversed());
        expect(askedMessages(request({ messages }), { after: count, limit, order }).messages).toBeNull();
      },
    ),
  );
});
