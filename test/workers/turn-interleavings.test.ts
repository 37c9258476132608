/** Whatever a user does with turns, in whichever order, and whatever is killed or fails meanwhile: what must hold of all of it? */
import * as fc from "fast-check";
import { test } from "vitest";
import { type Asking, type Step, words } from "./asked-turns.ts";
import { bearer } from "./edge-under-test.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";
import { Interleaving } from "./turn-interleavings.ts";

const orders = ["queue", "reject", "replace"] as const;
const tenants = Object.fromEntries(
  orders.map((order) => [
    `mixed-${order}`,
    {
      limits: limitless,
      conversations: { turns: order },
      tools: { calculator: true, chat_completions: true },
    },
  ]),
);
const engine = scriptedEdge(tenants);

const asking = fc
  .record({
    kind: fc.constantFrom("chat", "response"),
    how: fc.constantFrom("stream", "stream", "whole", "background"),
    conversation: fc.constantFrom("none", "first", "first", "second"),
    isKeyed: fc.boolean(),
    goesOn: fc.option(fc.nat(6)),
    calls: fc.boolean(),
    twice: fc.boolean(),
    pausedAt: fc.integer({ min: 0, max: words.length }),
  })
  .map((one) => (one.kind === "chat" && one.how === "background" ? { ...one, how: "whole" as const } : one));
const which = fc.nat(6);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant("ask"), asking }) },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constantFrom("again", "read", "look", "cancel", "delete", "alarm", "goes-on", "goes-on"),
      which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("forget"), conversation: fc.constantFrom("first", "second") }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("fail"),
      whom: fc.constantFrom("append", "settle"),
      when: fc.constantFrom("before", "after"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom("kill", "wait", "wait") }) },
);

let users = 0;

const asked: Asking = {
  kind: "response",
  how: "stream",
  conversation: "first",
  isKeyed: false,
  goesOn: null,
  calls: true,
  twice: false,
  pausedAt: 2,
};
/** What went wrong once: a response that left nothing, cancelled or replaced, in a conversation that the next turn made and its user deleted. */
const examples: [Step[]][] = [
  [
    [
      { does: "ask", asking: { ...asked, how: "background", calls: false, pausedAt: 0 } },
      { does: "cancel", which: 0 },
      { does: "wait" },
      { does: "ask", asking: { ...asked, kind: "chat", how: "whole" } },
      { does: "goes-on", which: 1 },
      { does: "goes-on", which: 0 },
      { does: "wait" },
      { does: "forget", conversation: "first" },
    ],
  ],
  [
    [
      { does: "ask", asking: asked },
      { does: "wait" },
      { does: "ask", asking: { ...asked, kind: "chat", pausedAt: 4 } },
      { does: "wait" },
      { does: "forget", conversation: "first" },
      { does: "ask", asking: { ...asked, kind: "chat", how: "whole", calls: false } },
      { does: "kill" },
    ],
  ],
];

test.for(orders)(
  "whatever a user does to turns that %s in their conversation, and whatever is killed: each is settled once, by what was delivered; nothing deleted comes back; nobody gets 5xx but in a kill",
  { timeout: 240_000 },
  async (order) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 22 }), async (steps) => {
        const user = `user-${(users += 1)}`;
        engine.reset();
        const world = new Interleaving(engine, await bearer(`mixed-${order}`, user), user);
        const restore = world.bills.watch();
        try {
          for (const one of steps) await world.step(one);
          await world.end();
        } catch (error) {
          throw new Error(world.log.join("\n"), { cause: error });
        } finally {
          restore();
        }
      }),
      // Each takes a second. What the times between two steps decide is no other in a smaller world: nothing is shrunk.
      { numRuns: 5 + examples.length, endOnFailure: true, examples },
    );
  },
);
