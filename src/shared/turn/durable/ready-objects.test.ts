import { expect, test } from "vitest";
import { ReadyObjects } from "./ready-objects.ts";

const object = (nowMs: number) => ({ nowMs, entropy: new Uint8Array(16) });

test("each is taken once, the youngest first, in its own jurisdiction", () => {
  const ready = new ReadyObjects();
  const [first, second] = [object(1), object(2)];
  ready.add("none", first);
  ready.add("none", second);
  expect(ready.take("eu", 3)).toBeNull();
  expect(ready.take("none", 3)).toBe(second);
  expect(ready.take("none", 3)).toBe(first);
  expect(ready.take("none", 3)).toBeNull();
});

test("no more are kept than were asked for, and none beyond its time", () => {
  const ready = new ReadyObjects(2, 1000);
  for (let at = 0; at < 5; at += 1) ready.add("none", object(at));
  expect(ready.wantsMore("none", 5)).toBe(false);
  expect(ready.wantsMore("none", 1000)).toBe(true);
  expect(ready.take("none", 1000)).toMatchObject({ nowMs: 1 });
  expect(ready.take("none", 1001)).toBeNull();
});
