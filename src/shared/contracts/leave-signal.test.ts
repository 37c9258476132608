import { expect, test } from "vitest";
import { eitherLeaves, Leaving, type LeaveSignal } from "./leave-signal.ts";

const kinds: readonly [string, () => { signal: LeaveSignal; leave: (reason: unknown) => void }][] = [
  [
    "one of ours",
    () => {
      const leaving = new Leaving();
      return { signal: leaving, leave: (reason) => leaving.leave(reason) };
    },
  ],
  [
    "the platform's",
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, leave: (reason) => controller.abort(reason) };
    },
  ],
];

test.each(kinds)("%s: tells all who listen, in order, once, with the first reason", (_, make) => {
  const { signal, leave } = make();
  const heard: string[] = [];
  signal.addEventListener("abort", () => heard.push(`a ${String(signal.reason)} ${signal.aborted}`), {
    once: true,
  });
  signal.addEventListener("abort", () => heard.push("b"), { once: true });
  expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
  leave("gone");
  leave("again");
  signal.addEventListener("abort", () => heard.push("late"), { once: true });
  expect(heard).toEqual(["a gone true", "b"]);
  expect([signal.aborted, signal.reason]).toEqual([true, "gone"]);
});

test.each(kinds)("%s: who was taken off hears nothing", (_, make) => {
  const { signal, leave } = make();
  const heard: string[] = [];
  const first = (): void => void heard.push("first");
  signal.addEventListener("abort", first, { once: true });
  signal.addEventListener("abort", () => heard.push("second"), { once: true });
  signal.removeEventListener("abort", first);
  signal.removeEventListener("abort", first);
  leave("gone");
  expect(heard).toEqual(["second"]);
});

test.each(kinds)("%s: either of two, and the first of them", (_, make) => {
  for (const firstLeaves of [true, false]) {
    const [one, other] = [make(), make()];
    const either = eitherLeaves(one.signal, other.signal);
    let times = 0;
    either.addEventListener("abort", () => (times += 1), { once: true });
    expect(either.aborted).toBe(false);
    (firstLeaves ? one : other).leave("this one");
    (firstLeaves ? other : one).leave("that one");
    expect([times, either.aborted, either.reason]).toEqual([1, true, "this one"]);
  }
  const gone = make();
  gone.leave("before");
  expect(eitherLeaves(make().signal, gone.signal)).toMatchObject({ aborted: true, reason: "before" });
});
