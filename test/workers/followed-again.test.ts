/** A request that is sent again with its Idempotency-Key, and whose turn's object breaks off while it is followed. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import type { GenerationMethods } from "../../durable-objects/generation/generation.ts";
import type { AttachOutcome, AttachTurn } from "../../src/shared/contracts/generation.ts";
import { bearer, post } from "./edge-under-test.ts";
import { chat } from "./moderation-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ followed: {} });

const spoken = { model: "auto", input: "Hello" };
const requests = [
  ["/v1/chat/completions", chat("Hello")],
  ["/v1/chat/completions", chat("Hello", { stream: true })],
  ["/v1/responses", spoken],
  ["/v1/responses", { ...spoken, stream: true }],
] as const;

/** The object is found; then it is followed, which may take as long as its answer does. */
async function secondAttach(second: () => Promise<AttachOutcome>): Promise<void> {
  await runInDurableObject(env.GENERATION.getByName("any"), (object) => {
    const methods = Object.getPrototypeOf(object) as GenerationMethods;
    const attach = Reflect.get(methods, "attach");
    let calls = 0;
    const attaching = vi.spyOn(methods, "attach");
    attaching.mockImplementation(function (this: GenerationMethods, message: AttachTurn) {
      calls += 1;
      if (calls !== 2) return attach.call(this, message);
      attaching.mockRestore();
      return second();
    });
  });
}

test.for([
  ["breaks off", (): Promise<AttachOutcome> => Promise.reject(new Error("the object was reset"))],
  ["finds nothing any more", (): Promise<AttachOutcome> => Promise.resolve({ result: "absent" })],
] as const)(
  "a retry whose second look at its turn %s is told to ask again with the same key, which then finds it",
  async ([, second]) => {
    for (const [path, body] of requests) {
      engine.asked.length = 0;
      engine.tokens = ["Hi"];
      const authorization = await bearer("followed", crypto.randomUUID());
      const ask = () => post(path, authorization, body, { "idempotency-key": "once" });
      const told = await (await ask()).text();
      await secondAttach(second);
      const again = await ask();
      expect(again.status).toBe(503);
      expect(again.headers.get("retry-after")).toBe("1");
      expect(again.headers.get("x-should-retry")).not.toBe("false");
      await again.body?.cancel();
      expect(await (await ask()).text()).toBe(told);
      expect(engine.asked).toHaveLength(1);
      await expectBill(authorization, 1, 11);
    }
  },
);
