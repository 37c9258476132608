import { afterEach, expect, test, vi } from "vitest";
import { type CodeAsked, CodeReader, maxCodeUnits } from "./code-reader.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Workers that return their input in capitals, when a test says so. */
function workers() {
  const made: { asked: CodeAsked[]; isEnded: boolean; answer: () => void; fail: () => void }[] = [];
  const reader = new CodeReader((answered, fail) => {
    const asked: CodeAsked[] = [];
    const answer = (): void => answered({ parts: [asked.at(-1)?.code.toUpperCase() ?? ""] });
    const one = { asked, isEnded: false, answer, fail };
    made.push(one);
    return {
      ask: (code) => asked.push(code),
      end: () => {
        one.isEnded = true;
      },
    };
  });
  const read = (code: string) => reader.read({ code, language: "ts" });
  return { made, read };
}

test("one worker reads what it is asked, one piece at a time", async () => {
  const { made, read } = workers();
  const all = [read("a"), read("b")];
  for (const count of [1, 2]) {
    await vi.waitFor(() => expect(made[0]?.asked).toHaveLength(count));
    made[0]?.answer();
  }
  expect(await Promise.all(all)).toEqual([["A"], ["B"]]);
  expect(made).toHaveLength(1);
});

test("a piece over which a grammar goes on and on is given up with its worker, and the next is read by another", async () => {
  vi.useFakeTimers();
  const { made, read } = workers();
  const first = read("a");
  await vi.advanceTimersByTimeAsync(0);
  made[0]?.answer();
  expect(await first).toEqual(["A"]);
  const [hostile, next] = [read("aaaa"), read("b")];
  await vi.advanceTimersByTimeAsync(2000);
  expect(await hostile).toBeNull();
  expect(made[0]?.isEnded).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  made[1]?.answer();
  expect(await next).toEqual(["B"]);
});

test("a worker that can't be had, and code that is too long, leave the code as it is", async () => {
  const { made, read } = workers();
  expect(await read("x".repeat(maxCodeUnits + 1))).toBeNull();
  expect(made).toEqual([]);
  const first = read("a");
  await vi.waitFor(() => expect(made).toHaveLength(1));
  made[0]?.fail();
  expect(await first).toBeNull();
});
