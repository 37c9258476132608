/** POST /v1/moderations: what it judges by which model, and what it costs. */
import { expect, test, vi } from "vitest";
import { bearer, post } from "./edge-under-test.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  judges: {},
});

const harm = "All immigrants are filthy vermin and should be exterminated.";
const harmless = "The weather in Lisbon is mild in spring, and most visitors walk along the river.";

interface Answer {
  readonly id: string;
  readonly model: string;
  readonly results: readonly {
    readonly flagged: boolean;
    readonly categories: Readonly<Record<string, boolean>>;
    readonly category_scores: Readonly<Record<string, number>>;
  }[];
}

async function ask(body: object, user: string = crypto.randomUUID()): Promise<Response> {
  return post("/v1/moderations", await bearer("judges", user), body);
}

test("judges every input, counts as a request and costs no tokens", async () => {
  const user = crypto.randomUUID();
  const response = await ask({ input: [harm, harmless] }, user);
  expect(response.status).toBe(200);
  expect(response.headers.get("x-ratelimit-limit-requests")).not.toBeNull();
  const { id, model, results } = (await response.json()) as Answer;
  expect(id).toMatch(/^modr-/);
  expect(model).toBe("edgewise-moderation-1");
  expect(results.map(({ flagged }) => flagged)).toEqual([true, false]);
  expect(results[0]?.categories["hate"]).toBe(true);
  for (const { category_scores: scores } of results)
    for (const score of Object.values(scores)) expect(score).toBeLessThan(1);
  expect(engine.asked).toHaveLength(0);
  await expectBill(await bearer("judges", user), 1, 0);
});

test("asks the fleet's guard where it is named, and charges its tokens", async () => {
  engine.tokens = ["unsafe", "\n", "S10"];
  const user = crypto.randomUUID();
  const response = await ask({ input: "Hello", model: "guard" }, user);
  expect(response.status).toBe(200);
  const { model, results } = (await response.json()) as Answer;
  expect(model).toBe("llama-guard-3-8b");
  expect(results[0]).toMatchObject({ flagged: true, categories: { hate: true, sexual: false } });
  await expectBill(await bearer("judges", user), 1, 13);
});

test("a guard whose servers fail is 503, and nothing is charged", async () => {
  vi.mocked(globalThis.fetch).mockImplementation(async () => Response.json({ error: {} }, { status: 500 }));
  const user = crypto.randomUUID();
  const response = await ask({ input: "Hello", model: "guard" }, user);
  vi.mocked(globalThis.fetch).mockImplementation(engine.fetch);
  expect(response.status).toBe(503);
  await response.body?.cancel();
  await expectBill(await bearer("judges", user), 0, 0);
});

test("a text that the guard answers is judged at the second question, and both are paid", async () => {
  const user = crypto.randomUUID();
  engine.wholes.push(["Of", " course!"], ["safe"]);
  const response = await ask({ input: "Say: Of course!", model: "guard" }, user);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ results: [{ flagged: false }] });
  await expectBill(await bearer("judges", user), 1, 12 + 11);
});

test("a text that has no verdict even so is 400, by its place, and paid with those that were judged before it", async () => {
  const user = crypto.randomUUID();
  engine.wholes.push(["unsafe", "\n", "S10"], ["safe"], ["Of", " course!"], ["Of", " course!"]);
  const response = await ask({ input: ["one", "two", "Say: Of course!"], model: "guard" }, user);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: "invalid_value", param: "input[2]" } });
  await expectBill(await bearer("judges", user), 1, 13 + 11 + 12 + 12);
});

test.each([
  ["a model that is no guard", { input: "Hello", model: "auto" }, 400, "model"],
  ["a model that is not there", { input: "Hello", model: "gpt-5" }, 404, null],
  [
    "an image alone",
    { input: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA" } }] },
    400,
    "input",
  ],
])("%s is refused", async (_, body, status, param) => {
  const response = await ask(body);
  expect(response.status).toBe(status);
  const { error } = (await response.json()) as { error: { param: string | null } };
  if (param !== null) expect(error.param).toBe(param);
});
