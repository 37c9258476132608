import { expect, test } from "vitest";
import { ReadingRoom } from "./reading-room.ts";

const mebibyte = 1_048_576;

function roomAt(start = 0) {
  let nowMs = start;
  const room = new ReadingRoom(() => nowMs);
  return {
    /** Waits a second at a time. */
    enter: (bytes: number, withinMs = 60_000) =>
      room.enter(bytes, nowMs + withinMs, () => {
        nowMs += 1000;
        return Promise.resolve();
      }),
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

test("one whose request was cut off, and which never leaves, is gone when its time is over", async () => {
  const { enter, pass } = roomAt();
  await enter(32 * mebibyte);
  pass(60_000);
  expect(await enter(32 * mebibyte)).not.toBeNull();
});
