import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { generationParts } from "../../workers/edge/generation-parts.ts";

test("an effect of newer code, which a roll-back left in an outbox, is a delivery that failed, and so is tried again and holds up no other", async () => {
  const stub = env.GENERATION.getByName(crypto.randomUUID());
  await runInDurableObject(stub, async (_, state) => {
    const { deliver } = generationParts(env, state);
    const effect = { kind: "of-tomorrow" } as unknown as Parameters<typeof deliver>[0];
    await expect(deliver(effect, { turnId: "t", attempt: 0, listed: () => null })).rejects.toThrow(
      "of-tomorrow",
    );
  });
});
