/**
 * Turns whose guard holds text back when their object is killed: what was held was said, but nobody had it, and the engine that goes on says it
 * again. Behind every word: src/shared/turn/held-tokens.test.ts.
 */
import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, describe, expect, test } from "vitest";
import { createAnswerGuard } from "../../src/shared/safety/answer-guard.ts";
import { safetyPolicySchema } from "../../src/shared/safety/safety-policy.ts";
import { bearer, send } from "./edge-under-test.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { readUntil } from "./read-until.ts";

const policies = {
  "killed-mask": { output: { action: "mask" } },
  "killed-all": {
    output: { action: "mask" },
    moderation: { output: "block" },
    links: { action: "remove", allow_hosts: ["example.org"] },
  },
} as const;
const engine = scriptedEdge(
  Object.fromEntries(
    Object.entries(policies).map(([tenant, safety]) => [tenant, { limits: limitless, safety }]),
  ),
);
/** As a model says them: an address that no token holds, a sentence's end inside of a token, a link, enough for two blocks. */
const words = (
  "Write to| ann|.smi|th@exa|mple|.org| today|, or| (see| notes|).| The| page| [is| here|](|https://|elsewhere|.example|/p?d=|1)|.\n\n|" +
  "Then we went for a walk by the river, and it was a long and quiet afternoon without any wind at all. In the evening there was soup; and " +
  "nobody said a word about the weather of the day before. So it ended."
)
  .split("|")
  .flatMap((piece) => (piece.startsWith("Then") ? piece.split(/(?= )/) : [piece]));
/** Within the address, within the link, and in the second block. */
const places = [3, 18, 60];

function guardOf(tenant: keyof typeof policies) {
  const guard = createAnswerGuard(safetyPolicySchema.parse(policies[tenant]), { contentIsJson: false });
  if (guard === undefined) throw new Error("a guard is on");
  return guard;
}

/** What a reader has when the engine has said so many of its words. */
function released(tenant: keyof typeof policies, count: number): string {
  const guard = guardOf(tenant);
  return words.slice(0, count).reduce((text, word) => text + (guard.push("0/content", word) ?? ""), "");
}

function whole(tenant: keyof typeof policies): string {
  const guard = guardOf(tenant);
  const text = words.reduce((all, word) => all + (guard.push("0/content", word) ?? ""), "");
  return text + (guard.flush("0/content") ?? "");
}

beforeEach(() => {
  engine.tokens = words;
  engine.heardAs = (text) =>
    text
      .replace("[e-mail address]", "ann.smith@example.org")
      .replace("#link-removed", "https://elsewhere.example/p?d=1");
});

function ask(authorization: string, more: object): Promise<Response> {
  return send("/v1/chat/completions", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", "idempotency-key": "k" },
    body: JSON.stringify({
      model: "auto",
      max_tokens: 200,
      stream: true,
      messages: [{ role: "user", content: "Tell" }],
      ...more,
    }),
  });
}

describe.each(Object.keys(policies) as (keyof typeof policies)[])("%s", (tenant) => {
  test.for([
    ["sampled", {}],
    ["deterministic", { temperature: 0 }],
  ] as const)("killed wherever, a %s answer is whole, and counted once", async ([name, more]) => {
    const wrong: unknown[] = [];
    for (const count of places) {
      const authorization = await bearer(tenant, `${name}-${count}`);
      engine.pause = { at: count, until: new Promise(() => undefined) };
      const response = await ask(authorization, more);
      const told = (seen: string) => readStream(seen.slice(0, seen.lastIndexOf("\n\n") + 1)).content;
      const { reader } = await readUntil(
        response,
        (seen) => seen.includes('"role"') && told(seen) === released(tenant, count),
      );
      await abortAllDurableObjects();
      engine.pause = null;
      await reader.read().catch(() => undefined);
      const all = await (await ask(authorization, more)).text();
      const { content, finish } = readStream(all);
      wrong.push([count, content === whole(tenant), finish]);
      await expectBill(authorization, 1, 10 + words.length);
    }
    expect(wrong).toEqual(places.map((count) => [count, true, "stop"]));
  });
});
