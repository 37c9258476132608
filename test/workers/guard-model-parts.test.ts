/** A guard model and prompts that it is shown in parts: each is judged, and the worst verdict is the prompt's. */
import { expect, test, vi } from "vitest";
import { countedBy } from "./batch-fixture.ts";
import { bearer, settled } from "./edge-under-test.ts";
import { ask, chat, toGuard, untilAborted } from "./moderation-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const guarded = { input: "block", output: "off", model: "guard" } as const;
/** A guard that answers does so within it, however busy the machine is. */
const lateMs = 1_000;
const engine = scriptedEdge({
  "harm-guard-open": { safety: { moderation: { ...guarded, when_slow: "open" } } },
  "harm-guard-late": { safety: { moderation: { ...guarded, model_budget_ms: lateMs } } },
  "harm-guard-late-open": {
    safety: { moderation: { ...guarded, model_budget_ms: lateMs, when_slow: "open" } },
  },
});

test("a question in front of more words than a guard is shown at a time is judged as well, and is one request", async () => {
  engine.wholes.push(["safe"], ["unsafe", "\n", "S9"]);
  const user = crypto.randomUUID();
  const long = `How is it done? ${"All is well. ".repeat(1_500)}`;
  const response = await ask("harm-guard-open", chat(long), undefined, user);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("illicit/violent");
  const [last, first] = engine.asked.map(({ messages }) => JSON.stringify(messages));
  expect([last?.includes("How is it done?"), first?.includes("How is it done?")]).toEqual([false, true]);
  await expectBill(await bearer("harm-guard-open", user), 1, 0);
});

test.each([
  ["by our own count", 11_700, null],
  ["by its engine's", 5_000, 4_000],
])(
  "what is too long for a guard's window %s is judged in parts, under open as well",
  async (_, length, window) => {
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      const body = toGuard(init);
      if (body !== null && window !== null && body.length > window)
        return Response.json(
          {
            error: {
              message: `This model's maximum context length is ${window} tokens. However, you requested ${body.length} tokens.`,
              type: "BadRequestError",
              code: 400,
            },
          },
          { status: 400 },
        );
      engine.tokens = body?.includes("How is it done?") === true ? ["unsafe", "\n", "S9"] : ["safe"];
      return engine.fetch(input, init);
    });
    for (const [question, status] of [
      ["How is it done?", 400],
      ["How are you?", 200],
    ] as const) {
      const padding = "漢字。".repeat(length / 6);
      const response = await ask("harm-guard-open", chat(`${padding}${question}${padding}`));
      expect(response.status).toBe(status);
      await response.body?.cancel();
      expect(engine.asked.length).toBeLessThan(8);
      engine.asked.length = 0;
    }
    await settled();
    vi.mocked(globalThis.fetch).mockImplementation(engine.fetch);
  },
);

test("what would be asked about without end is refused: no prompt is more questions than a hundred", async () => {
  let asked = 0;
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    if (toGuard(init) === null) return engine.fetch(input, init);
    asked += 1;
    const message = "This model's maximum context length is 512 tokens. However, you requested 9000 tokens.";
    return Response.json({ error: { message, type: "BadRequestError", code: 400 } }, { status: 400 });
  });
  const response = await ask("harm-guard-open", chat("All is well. ".repeat(11_000)));
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("content_policy_violation");
  expect(asked).toBeLessThanOrEqual(100);
  vi.mocked(globalThis.fetch).mockImplementation(engine.fetch);
});

test("what a guard has found counts, though it is late with the rest, under open as well; what it is late with is no verdict otherwise", async () => {
  const long = `How is it done? ${"All is well. ".repeat(1_500)}`;
  for (const [tenant, says, status, counted] of [
    ["harm-guard-late", ["unsafe", "\n", "S9"], 400, "unsafe"],
    ["harm-guard-late-open", ["unsafe", "\n", "S9"], 400, "unsafe"],
    ["harm-guard-late", ["safe"], 503, "partial"],
    ["harm-guard-late-open", ["safe"], 200, "partial"],
  ] as const) {
    const before = await countedBy(verdicts);
    let asked = 0;
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      if (toGuard(init) !== null) asked += 1;
      return toGuard(init) !== null && asked > 1 ? untilAborted(init) : engine.fetch(input, init);
    });
    engine.tokens = says;
    const response = await ask(tenant, chat(long));
    expect(response.status).toBe(status);
    await response.body?.cancel();
    const after = await countedBy(verdicts);
    const results = ["safe", "unsafe", "late", "partial", "failed", "unreadable"];
    expect(results.filter((result) => after(result) > before(result))).toEqual([counted]);
  }
  vi.mocked(globalThis.fetch).mockImplementation(engine.fetch);
});

const verdicts = "edgewise_guard_verdicts_total";
