/** A batch that is erased, or whose time is over: nothing of it is left, and its turns are ended. */
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { expect, test } from "vitest";
import { BatchProbe, line } from "../../test/workers/batch-probe.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { holdsText } from "../../test/workers/stored-text.ts";

test("of an erased batch nothing is left, its turns are ended, and nothing late makes it anew", async () => {
  const probe = new BatchProbe();
  probe.control.answers = () => new Promise(() => undefined);
  await probe.create(["a", "b", "c", "d", "e", "f"].map((name) => line(`${name} zyzzyva`)));
  await eventually(() => expect(probe.control.asked).toHaveLength(4));
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(true);
  expect(await probe.stub.delete(probe.message)).toEqual({ result: "deleted" });
  expect(await probe.stub.describe(probe.message)).toEqual({ result: "unknown" });
  await eventually(() => expect(probe.control.forgotten.toSorted()).toEqual(["1/0", "2/0", "3/0", "4/0"]));
  await eventually(async () => expect(await holdsText(probe.stub, "zyzzyva")).toBe(false));
  await evictDurableObject(probe.stub);
  expect(await probe.create([line("late")])).toEqual({ result: "unknown" });
  expect(await probe.stub.delete(probe.message)).toEqual({ result: "deleted" });
  // A day later nobody is on the way any more.
  await runDurableObjectAlarm(probe.stub);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.kv.get("buried")).toBeUndefined();
  });
});

test("an erasure that overtakes a batch's making keeps it from being made", async () => {
  const probe = new BatchProbe();
  expect(await probe.stub.delete(probe.message)).toEqual({ result: "deleted" });
  expect(await probe.create([line("late")])).toEqual({ result: "unknown" });
});

test("turns of an erased batch that can't be reached are ended by the alarm, after a kill as well", async () => {
  const probe = new BatchProbe();
  probe.control.answers = () => new Promise(() => undefined);
  await probe.create([line("zyzzyva")]);
  await eventually(() => expect(probe.control.asked).toHaveLength(1));
  probe.control.failsAt = "forget";
  await probe.stub.delete(probe.message);
  await eventually(() => expect(probe.control.hasArrived).toBe(true));
  await abortAllDurableObjects();
  await runDurableObjectAlarm(probe.stub);
  await eventually(() => expect(probe.control.forgotten).toEqual(["1/0"]));
  await eventually(async () => expect(await holdsText(probe.stub, "zyzzyva")).toBe(false));
});

test("thirty days after its end it forgets itself, and its Library hears of that", async () => {
  const probe = new BatchProbe();
  await probe.create([line("a")]);
  await probe.until("completed");
  await eventually(() => expect(probe.control.told).toEqual(["ended"]));
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE batch SET life = json_set(life, '$.times.completed', 1)");
  });
  await runDurableObjectAlarm(probe.stub);
  await eventually(async () => {
    expect(await probe.stub.describe(probe.message)).toEqual({ result: "unknown" });
  });
  expect(probe.control.told).toEqual(["ended", "gone"]);
});
