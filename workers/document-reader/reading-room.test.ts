import { expect, test } from "vitest";
import { ReadingRoom } from "./reading-room.ts";

const mebibyte = 1_048_576;

function roomAt(start = 0) {
  let nowMs = start;
  const room = new ReadingRoom(() => nowMs, 60_000);
  const pause = () => {
    nowMs += 1000;
    return Promise.resolve();
  };
  return {
    /** Waits a second at a time. */
    enter: (bytes: number, withinMs = 60_000, isAlone = false) =>
      room.enter(bytes, nowMs + withinMs, pause, isAlone),
    /** Looks when the test says so, and waits no longer than that. */
    wait: (bytes: number) => {
      const looks = Promise.withResolvers<void>();
      const entered = room.enter(bytes, nowMs + 500, () => looks.promise);
      return { entered, look: looks.resolve };
    },
    pass: (ms: number) => void (nowMs += ms),
  };
}

test("documents read together as long as there is room; a large one waits, and enters when another left", async () => {
  const { enter } = roomAt();
  const leaveFirst = await enter(20 * mebibyte);
  expect(await enter(4 * mebibyte)).not.toBeNull();
  expect(await enter(1, 20_000)).toBeNull();
  leaveFirst?.();
  expect(await enter(1)).not.toBeNull();
});

test("one that is larger than the room reads alone", async () => {
  const { enter } = roomAt();
  const leave = await enter(32 * mebibyte);
  expect(leave).not.toBeNull();
  expect(await enter(1, 20_000)).toBeNull();
});

test("however small, no more than eight read together", async () => {
  const { enter } = roomAt();
  for (let reader = 0; reader < 8; reader += 1) expect(await enter(1)).not.toBeNull();
  expect(await enter(1, 20_000)).toBeNull();
});

test("one that is to read alone waits until nobody reads, and nobody reads beside it, however small", async () => {
  const { enter } = roomAt();
  const leave = await enter(1);
  expect(await enter(1, 20_000, true)).toBeNull();
  leave?.();
  const leaveAlone = await enter(1, 20_000, true);
  expect(leaveAlone).not.toBeNull();
  expect(await enter(1, 20_000)).toBeNull();
  leaveAlone?.();
  expect(await enter(1)).not.toBeNull();
});

test("a large one that waits is not overtaken by small ones that come and go; one that is gone holds nobody up", async () => {
  const { enter, wait, pass } = roomAt();
  const leave = await enter(20 * mebibyte);
  const large = wait(20 * mebibyte);
  expect(await enter(1, 0)).toBeNull();
  leave?.();
  large.look();
  expect(await large.entered).not.toBeNull();
  // Cut off while it waits: it looks no more.
  wait(20 * mebibyte);
  expect(await enter(1, 0)).toBeNull();
  pass(2_000);
  expect(await enter(1, 0)).not.toBeNull();
});

test("one whose request was cut off, and which never leaves, is gone when its time is over", async () => {
  const { enter, pass } = roomAt();
  await enter(32 * mebibyte);
  pass(60_000);
  expect(await enter(32 * mebibyte)).not.toBeNull();
});
