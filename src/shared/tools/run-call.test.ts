import { expect, test } from "vitest";
import { ok } from "../contracts/result.ts";
import { cutTo, runCall } from "./run-call.ts";
import type { ServerTool } from "./server-tool.ts";

const deps = {
  timer: (ms: number, fire: () => void) => {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
  report: () => undefined,
};
const { signal } = new AbortController();

function toolOf(change: Partial<ServerTool> = {}): ServerTool {
  return {
    name: "t",
    description: "d",
    parameters: {
      type: "object",
      properties: {
        a: { type: "string", enum: ["x", "y"] },
        b: { anyOf: [{ type: "integer" }, { type: "null" }] },
      },
      required: ["a"],
      additionalProperties: false,
    },
    shown: "mcp_call",
    isRepeatable: true,
    timeoutMs: 1000,
    run: async (args) => ok({ text: JSON.stringify(args) }),
    ...change,
  };
}

test("arguments that follow the schema are handed over as they are", async () => {
  expect(await runCall(toolOf(), '{"a":"x","b":null}', signal, deps)).toEqual(
    ok({ text: '{"a":"x","b":null}' }),
  );
});

test.each([
  ['{"a":"z"}', "#/a"],
  ['{"a":"x","b":1.5}', "#/b"],
  ["{}", "#"],
  ['{"a":"x","__proto__":1}', "#"],
  ["[]", "no JSON object"],
  ["{", "no JSON"],
  ['"a"', "no JSON object"],
  [`{"a":"${"x".repeat(40_000)}"}`, "longer"],
])("%.20s is refused by its place: %s", async (text, told) => {
  const made = await runCall(toolOf(), text, signal, deps);
  expect(made).toMatchObject({ ok: false, error: { kind: "arguments-invalid" } });
  expect(JSON.stringify(made)).toContain(told);
});

test("no format is looked for with a pattern that backtracks without end", async () => {
  const { parameters } = toolOf();
  const links = toolOf({
    parameters: { ...parameters, properties: { a: {}, link: { type: "string", format: "url" } } },
  });
  const beganMs = performance.now();
  // Each letter more doubles the time.
  const made = await runCall(links, `{"a":"x","link":"http://${"a".repeat(28)}!"}`, signal, deps);
  expect(performance.now() - beganMs).toBeLessThan(1000);
  expect(made).toMatchObject({ ok: true });
});

test("a list of thousands, whose items must differ, is not compared each with each", async () => {
  const { parameters } = toolOf();
  const unique = toolOf({
    parameters: { ...parameters, properties: { a: {}, list: { type: "array", uniqueItems: true } } },
  });
  const list = (count: number) =>
    JSON.stringify({ a: "x", list: Array.from({ length: count }, (_, at) => ({ at })) });
  const beganMs = performance.now();
  expect(await runCall(unique, list(2500), signal, deps)).toMatchObject({
    ok: false,
    error: { kind: "arguments-invalid", detail: expect.stringContaining("repeat") as string },
  });
  expect(performance.now() - beganMs).toBeLessThan(500);
  expect(await runCall(unique, list(300), signal, deps)).toMatchObject({ ok: true });
});

test("arguments nested without end come to nothing, and to no throw", async () => {
  const deep = `{"a":"x","b":${"[".repeat(15_000)}${"]".repeat(15_000)}}`;
  expect(await runCall(toolOf(), deep, signal, deps)).toMatchObject({ ok: false });
});

test("a tool that heeds no signal is not waited for, and one that throws says nothing", async () => {
  const hanging = toolOf({ timeoutMs: 5, run: () => new Promise(() => undefined) });
  expect(await runCall(hanging, '{"a":"x"}', signal, deps)).toEqual({
    ok: false,
    error: { kind: "timeout" },
  });
  const throwing = toolOf({ run: () => Promise.reject(new Error("password=hunter2")) });
  const made = await runCall(throwing, '{"a":"x"}', signal, deps);
  expect(made).toMatchObject({ ok: false, error: { kind: "unavailable" } });
  expect(JSON.stringify(made)).not.toContain("hunter2");
});

test("a turn that ends aborts its running calls", async () => {
  const turn = new AbortController();
  let stopped = false;
  const waiting = toolOf({
    run: (_args, context) =>
      new Promise((resolve) => {
        context.signal.addEventListener("abort", () => {
          stopped = true;
          resolve({ ok: false, error: { kind: "timeout" } });
        });
      }),
  });
  const made = runCall(waiting, '{"a":"x"}', turn.signal, deps);
  turn.abort();
  expect(await made).toMatchObject({ ok: false });
  expect(stopped).toBe(true);
});

test("a result is cut to what the model may read, and says so", () => {
  expect(cutTo("short", 100)).toBe("short");
  const cut = cutTo("😀".repeat(200), 101);
  expect(cut.length).toBeLessThanOrEqual(101);
  expect(cut.isWellFormed()).toBe(true);
  expect(cut).toContain("[cut: 400 characters in all]");
});
