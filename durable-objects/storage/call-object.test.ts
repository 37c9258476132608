import { expect, test } from "vitest";
import { callObject } from "./call-object.ts";

function failing(times: number, flags: object): { calls: number; call: () => Promise<string> } {
  const state = {
    calls: 0,
    call: (): Promise<string> => {
      state.calls += 1;
      return state.calls <= times
        ? Promise.reject(Object.assign(new Error("broken"), flags))
        : Promise.resolve("answer");
    },
  };
  return state;
}

test("a retryable failure is tried once more", async () => {
  const once = failing(1, { retryable: true });
  expect(await callObject(once.call)).toEqual({ ok: true, value: "answer" });
  const twice = failing(2, { retryable: true });
  expect(await callObject(twice.call)).toMatchObject({ ok: false, error: { overloaded: false } });
  expect(twice.calls).toBe(2);
});

test("an overloaded object is not asked again, nor one that failed for good", async () => {
  for (const flags of [{ retryable: true, overloaded: true }, {}]) {
    const object = failing(1, flags);
    expect(await callObject(object.call)).toMatchObject({ ok: false, error: { kind: "object-unreachable" } });
    expect(object.calls).toBe(1);
  }
});
