/** What a turn asks of the router, beside the prompt. */
import { expect, test } from "vitest";
import { askedChat } from "../../src/shared/turn/asked-chat.ts";
import { parseChatRequest } from "../../src/shared/wire/chat-request.ts";
import { fakeClock } from "./fault-fixture.ts";
import { turnWorld, underClock } from "./turn-world.ts";

fakeClock();

const asked = () => {
  const parsed = parseChatRequest('{"model":"llama-3.1-8b","messages":[{"role":"user","content":"Hi"}]}');
  if (!parsed.ok) throw new Error(parsed.error.kind);
  return askedChat(parsed.value);
};

test.each([
  { hedge: true, yields: false, isHedged: true },
  { hedge: true, yields: true, isHedged: false },
  { hedge: false, yields: false, isHedged: false },
  { hedge: false, yields: true, isHedged: false },
])(
  "a second replica is asked only where the tenant wants it and somebody waits: %o",
  async ({ hedge, yields, isHedged }) => {
    const world = turnWorld({ replicas: 1, tenant: { requests: { hedge } } });
    await underClock(world.run(asked(), null, yields));
    expect(world.dispatched.map((request) => [request.hedge === true, request.yields === true])).toEqual([
      [isHedged, yields],
    ]);
  },
);
