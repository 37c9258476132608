import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { blocks, emits, events, Following, owner, Probe } from "../../test/workers/generation-probe.ts";
import { eventually } from "../../test/workers/eventually.ts";

const message = { v: 1, owner } as const;

test("200 readers from everywhere, half of whom do not read: none slows the run, and each gets the rest byte for byte", async () => {
  const probe = new Probe();
  const begun = 40;
  const steps = [...emits(events(begun, 300)), { pause: true } as const, ...emits(events(600, 300))];
  const first = new Following(await probe.start({ steps }));
  await first.until(begun);
  const readers = await Promise.all(
    Array.from({ length: 200 }, async (_, at) => {
      const from = (at * 37) % (begun + 1);
      const outcome = await probe.stub.read({ ...message, read: { from, ids: true } });
      if (outcome.result !== "stream") throw new Error(outcome.result);
      return { from, following: new Following(outcome.stream) };
    }),
  );
  const quick = readers.filter((_, at) => at % 2 === 0);
  const slow = readers.filter((_, at) => at % 2 === 1);
  const reading = Promise.all(quick.map(({ following }) => following.rest()));
  await runInDurableObject(probe.stub, () => probe.control.go());
  // The run is over and settled while the slow ones have not taken a byte.
  await eventually(() => expect([...probe.control.settled.values()]).toEqual([15]));
  expect(await probe.stub.retrieve(message)).toMatchObject({ status: "completed" });
  expect(new Set(await reading)).toEqual(new Set(["ended"]));
  const whole = await probe.read(0);
  expect(blocks(whole)).toHaveLength(begun + 600 + 2);
  const restFrom = (from: number): string =>
    blocks(whole)
      .slice(from)
      .map((block) => `${block}\n\n`)
      .join("");
  for (const { from, following } of quick) expect(following.text).toBe(restFrom(from));
  for (const { from, following } of slow) {
    expect(following.text).toBe("");
    await following.rest();
    expect(following.text).toBe(restFrom(from));
  }
  await first.leave();
});

test("a turn that is deleted under a reader that lags cuts it off, and what the object holds next is none of its", async () => {
  const probe = new Probe();
  const begun = 40;
  const steps = [...emits(events(begun, 300)), { pause: true } as const, ...emits(events(600, 3000))];
  const first = new Following(await probe.start({ steps }));
  await first.until(begun);
  const outcome = await probe.stub.read({ ...message, read: { from: 0, ids: true } });
  if (outcome.result !== "stream") throw new Error(outcome.result);
  const lagging = new Following(outcome.stream);
  await lagging.until(1);
  const reading = first.rest();
  await runInDurableObject(probe.stub, () => probe.control.go());
  expect(await reading).toBe("ended");
  await eventually(() => expect([...probe.control.settled.values()]).toEqual([15]));
  expect(await probe.stub.delete(message)).toEqual({ result: "deleted" });
  expect(await probe.stub.retrieve(message)).toEqual({ result: "unknown" });
  // The same name is claimed again, and says more than was said before.
  const next = await new Response(await probe.start({ steps: emits(events(900, 4000)) })).text();
  expect(blocks(next)).toHaveLength(902);
  expect(await lagging.rest()).toBe("cut");
  expect(blocks(lagging.text).length).toBeLessThan(begun + 602);
  expect(lagging.text).not.toContain("x".repeat(3001));
});

test("a reader that came before the first word of a turn that is then refused is cut off: nothing at all is no answer", async () => {
  const probe = new Probe();
  const starting = probe.stub.start(probe.message({ steps: [{ pause: true }], interrupted: "refuses" }));
  await probe.control.arrived.promise;
  const outcome = await probe.stub.read({ ...message, read: { from: 0, ids: true } });
  if (outcome.result !== "stream") throw new Error(outcome.result);
  const waiting = new Following(outcome.stream);
  await probe.stub.cancel(message);
  expect(await starting).toMatchObject({ result: "refused" });
  expect(await waiting.rest()).toBe("cut");
  expect(waiting.text).toBe("");
});
