import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import {
  blocks,
  emits,
  events,
  Following,
  ids,
  owner,
  Probe,
  stranger,
  streamOf,
} from "../../test/workers/generation-probe.ts";

test("a turn streams its events, then its end, and keeps its response", async () => {
  const probe = new Probe();
  const stream = await probe.start({ steps: emits(events(3)) });
  const text = await new Response(stream).text();
  expect(blocks(text).map((block) => block.split("data: ")[1])).toEqual([
    '{"token":"0é"}',
    '{"token":"1é"}',
    '{"token":"2é"}',
    '{"finish":"stop"}',
    "[DONE]",
  ]);
  expect(ids(text)).toEqual([0, 1, 2, 3, 4]);
  await evictDurableObject(probe.stub);
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({
    result: "ended",
    status: "completed",
    response: '{"answer":"whole"}',
  });
});

test("headers that the run decided come with the stream, before the first event", async () => {
  const probe = new Probe();
  const outcome = await probe.stub.start(
    probe.message({ steps: [{ open: { "x-a": "1" } }, { pause: true }] }),
  );
  expect(outcome).toMatchObject({ result: "stream", headers: { "x-a": "1" }, attached: false });
  await runInDurableObject(probe.stub, () => probe.control.go());
  expect(blocks(await new Response(streamOf(outcome)).text())).toHaveLength(2);
});

test("who does not stream gets the response at the end", async () => {
  const probe = new Probe();
  const outcome = await probe.stub.start(
    probe.message({ steps: emits(events(3)) }, { follow: { kind: "end" } }),
  );
  expect(outcome).toMatchObject({ result: "ended", status: "completed", response: '{"answer":"whole"}' });
});

test("a background turn is only claimed, and runs", async () => {
  const probe = new Probe();
  const outcome = await probe.stub.start(
    probe.message({ steps: emits(events(3)) }, { follow: { kind: "claim" } }),
  );
  expect(outcome).toEqual({ result: "claimed", attached: false });
  expect(blocks(await probe.read(0))).toHaveLength(5);
});

test("starts at the same time are one run with the same bytes", async () => {
  const probe = new Probe();
  const message = probe.message({ steps: [...emits(events(4)), { written: true }, ...emits(events(4))] });
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => probe.stub.start(message)));
  const texts = await Promise.all(outcomes.map((outcome) => new Response(streamOf(outcome)).text()));
  expect(new Set(texts).size).toBe(1);
  expect(probe.control.runs).toBe(1);
  expect(outcomes.filter((outcome) => outcome.result === "stream" && !outcome.attached)).toHaveLength(1);
  expect([...probe.control.settled.values()]).toEqual([15]);
});

test("a reader from every position gets the rest byte for byte, live, after the end and after an eviction", async () => {
  const probe = new Probe();
  const steps = events(12).flatMap((emit, at) =>
    at % 4 === 3 ? [{ emit }, { written: true } as const] : [{ emit }],
  );
  const first = new Following(await probe.start({ steps: [...steps, { pause: true }] }));
  await first.until(12);
  const live = await Promise.all(
    Array.from({ length: 13 }, async (_, from) => {
      const outcome = await probe.stub.read({ v: 1, owner, read: { from, ids: true } });
      if (outcome.result !== "stream") throw new Error(outcome.result);
      return outcome.stream;
    }),
  );
  await runInDurableObject(probe.stub, () => probe.control.go());
  expect(await first.rest()).toBe("ended");
  const whole = blocks(first.text);
  expect(ids(first.text)).toEqual(Array.from({ length: 14 }, (_, at) => at));
  const rest = (from: number): string =>
    whole
      .slice(from)
      .map((block) => `${block}\n\n`)
      .join("");
  for (const [from, stream] of live.entries()) expect(await new Response(stream).text()).toBe(rest(from));
  for (let from = 0; from <= 14; from += 1) expect(await probe.read(from)).toBe(rest(from));
  await evictDurableObject(probe.stub);
  for (let from = 0; from <= 14; from += 1) {
    expect(await probe.read(from)).toBe(rest(from));
    expect(await probe.read(from, false)).toBe(rest(from).replaceAll(/^id: \d+\n/gm, ""));
  }
  for (const from of [15, -1, 0.5])
    expect(await probe.stub.read({ v: 1, owner, read: { from, ids: true } })).toEqual({
      result: "position-unknown",
    });
});

test("a client that leaves does not stop the turn, and one that does not read does not slow it", async () => {
  const probe = new Probe();
  const leaves = new Following(
    await probe.start({ steps: [...emits(events(2)), { pause: true }, ...emits(events(400, 1000))] }),
  );
  await leaves.until(2);
  const outcome = await probe.stub.read({ v: 1, owner, read: { from: 0, ids: true } });
  if (outcome.result !== "stream") throw new Error(outcome.result);
  const slow = new Following(outcome.stream);
  await leaves.leave();
  await runInDurableObject(probe.stub, () => probe.control.go());
  const whole = await probe.read(0);
  expect(blocks(whole)).toHaveLength(404);
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ status: "completed" });
  // The slow one begins only now, far behind what memory keeps, and misses nothing.
  expect(await slow.rest()).toBe("ended");
  expect(slow.text).toBe(whole);
});

test("cancelling ends the turn once, with what was delivered, and stops the run", async () => {
  const probe = new Probe();
  const reading = new Following(
    await probe.start({ steps: [...emits(events(3)), { pause: true }, ...emits(events(9))] }),
  );
  await reading.until(3);
  const [one, two] = await Promise.all([
    probe.stub.cancel({ v: 1, owner }),
    probe.stub.cancel({ v: 1, owner }),
  ]);
  const response = '{"delivered":3,"reason":"cancelled"}';
  expect(one).toEqual({ result: "ended", changed: true, status: "cancelled", response });
  expect(two).toEqual({ result: "ended", changed: false, status: "cancelled", response });
  expect(await reading.rest()).toBe("ended");
  await runInDurableObject(probe.stub, () => probe.control.go());
  await runInDurableObject(probe.stub, () => probe.control.played.promise);
  expect(blocks(reading.text).at(-1)).toBe('id: 3\ndata: {"terminal":"cancelled"}');
  expect(await probe.read(0)).toBe(reading.text);
  expect(probe.control).toMatchObject({ aborted: 1, accepted: false });
  expect([...probe.control.settled.values()]).toEqual([13]);
});

test("cancelling bills what had been emitted and not yet written", async () => {
  const probe = new Probe();
  await probe.start({ steps: [...emits(events(1)), { written: true }, { open: {} }, { pause: true }] });
  await runInDurableObject(probe.stub, (instance) => {
    expect(instance.cancel({ v: 1, owner })).toMatchObject({ changed: true });
  });
  expect([...probe.control.settled.values()]).toEqual([11]);
});

test("a run that throws ends with exactly one error event", async () => {
  const probe = new Probe();
  const text = await new Response(
    await probe.start({ steps: emits(events(2)), end: { throws: "boom" } }),
  ).text();
  expect(blocks(text).slice(2)).toEqual(['id: 2\ndata: {"terminal":"threw"}']);
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ status: "incomplete" });
});

test("a runner that can't end its turn, or ends it wrongly, does not keep it from ending", async () => {
  for (const interrupted of ["throws", "bad-events"] as const) {
    const probe = new Probe();
    const text = await new Response(
      await probe.start({ steps: emits(events(2)), end: { throws: "boom" }, interrupted }),
    ).text();
    expect(blocks(text)).toHaveLength(3);
    expect(blocks(text)[2]).toContain("internal_error");
    expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ status: "failed", response: null });
    expect(probe.control.reports).toContain("turn-end-failed");
  }
});

test("an event that cannot be one ends the turn like any fault of the run", async () => {
  const probe = new Probe();
  const text = await new Response(
    await probe.start({ steps: emits([{ data: "a" }, { data: "b\nc" }]) }),
  ).text();
  expect(blocks(text)).toEqual(["id: 0\ndata: a", 'id: 1\ndata: {"terminal":"threw"}']);
});

test("a refused turn keeps nothing, so that the same request may be made again", async () => {
  const probe = new Probe();
  const refusal = { kind: "internal", detail: "x" } as const;
  const script = {
    steps: [{ pause: true }],
    end: { status: "refused", refusal, headers: { "x-b": "2" }, effects: [] },
  } as const;
  for (let again = 1; again <= 2; again += 1) {
    const both = Promise.all([
      probe.stub.start(probe.message(script)),
      probe.stub.start(probe.message(script)),
    ]);
    await runInDurableObject(probe.stub, () => probe.control.go());
    for (const outcome of await both)
      expect(outcome).toMatchObject({ result: "refused", refusal, headers: { "x-b": "2" } });
    await runInDurableObject(probe.stub, async (_instance, state) => {
      expect([...state.storage.kv.list()]).toEqual([]);
      expect(await state.storage.getAlarm()).toBeNull();
    });
  }
  expect(probe.control.runs).toBeGreaterThanOrEqual(2);
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
});

test("another user of the same object learns nothing and changes nothing", async () => {
  const probe = new Probe();
  const reading = new Following(await probe.start({ steps: [...emits(events(1)), { pause: true }] }));
  await reading.until(1);
  const theirs = { v: 1, owner: stranger } as const;
  const nothing = { result: "unknown" };
  expect(await probe.stub.start(probe.message({}, { owner: stranger }))).toEqual(nothing);
  expect(await probe.stub.read({ ...theirs, read: { from: 0, ids: true } })).toEqual(nothing);
  expect(await probe.stub.retrieve(theirs)).toEqual(nothing);
  expect(await probe.stub.cancel(theirs)).toEqual(nothing);
  expect(await probe.stub.delete(theirs)).toEqual(nothing);
  expect(await probe.stub.retrieve({ v: 1, owner })).toMatchObject({ result: "running" });
  await probe.stub.cancel({ v: 1, owner });
});

test("another body under the same key, another version, and a body too large are told apart", async () => {
  const probe = new Probe();
  await new Response(await probe.start({}, { fingerprint: "a" })).text();
  expect(await probe.stub.start(probe.message({}, { fingerprint: "b" }))).toEqual({ result: "mismatch" });
  const newer = { v: 2, owner } as unknown as { v: 1; owner: typeof owner };
  expect(await probe.stub.retrieve(newer)).toEqual({ result: "version-unsupported", supported: 1 });
  const large = new Probe();
  expect(await large.stub.start(large.message({}, { request: "x".repeat(13_000_000) }))).toMatchObject({
    result: "too-large",
  });
  expect(await large.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
});

test("requests and responses of several megabytes are kept whole", async () => {
  const probe = new Probe();
  const response = JSON.stringify({ text: "a😀é".repeat(500_001) });
  const end = {
    status: "completed",
    events: [],
    response,
    usage: { promptTokens: 1, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 },
    basis: "exact",
    effects: [],
  } as const;
  await new Response(await probe.start({ steps: emits(events(1)), end })).text();
  await evictDurableObject(probe.stub);
  const kept = await probe.stub.retrieve({ v: 1, owner });
  expect(kept.result === "ended" && kept.response === response).toBe(true);
});

test("deleting a turn leaves nothing, and stops it if it runs", async () => {
  const probe = new Probe();
  const reading = new Following(await probe.start({ steps: [...emits(events(2)), { pause: true }] }));
  await reading.until(2);
  expect(await probe.stub.delete({ v: 1, owner })).toEqual({ result: "deleted" });
  expect(await probe.stub.retrieve({ v: 1, owner })).toEqual({ result: "unknown" });
  expect(probe.control.aborted).toBe(1);
  expect([...probe.control.settled.values()]).toEqual([12]);
  await reading.rest();
});
