import { expect, test } from "vitest";
import type { TellCompletion, TellCompletionOutcome } from "../../src/shared/contracts/completion-index.ts";
import { tellCompletionIndex } from "./tell-completion-index.ts";

const owner = { tenant: "acme", user: "ann" };
const objectName = `${"0".repeat(26)}e`;
const responseId = `chatcmpl-${objectName}${"0".repeat(20)}`;
const response = JSON.stringify({ model: "m", metadata: { k: "v" }, choices: [] });

/** Indexes in production, by jurisdiction: what each was told. */
function indexes(outcome: TellCompletionOutcome) {
  const told: { readonly where: string; readonly name: string; readonly message: TellCompletion }[] = [];
  const namespace = (where: string) => ({
    jurisdiction: (of: string) => namespace(of),
    getByName: (name: string) => ({
      tell: async (message: TellCompletion) => {
        told.push({ where, name, message });
        return outcome;
      },
    }),
  });
  const env = { ENVIRONMENT: "production", COMPLETION_INDEX: namespace("anywhere") };
  return { told, env: env as unknown as Cloudflare.Env };
}

const tell = (
  env: Cloudflare.Env,
  jurisdiction: "none" | "eu",
  listed: Parameters<typeof tellCompletionIndex>[2],
) => tellCompletionIndex(env, { kind: "list", jurisdiction, owner, responseId }, listed);

test("the list is where its tenant's jurisdiction says, and is told what there is now", async () => {
  const { told, env } = indexes({ result: "told" });
  const times = { revision: 7, createdMs: 5, untilMs: 99 };
  expect(await tell(env, "eu", { ...times, response })).toEqual({ result: "acknowledged" });
  expect(await tell(env, "none", { ...times, revision: 8, response: null })).toEqual({
    result: "acknowledged",
  });
  const name = 'acme/completions/"ann"';
  const message = { v: 1, owner, objectName, revision: 7, createdMs: 5 };
  const entry = { id: responseId, model: "m", metadata: '{"k":"v"}', untilMs: 99 };
  expect(told).toEqual([
    { where: "eu", name, message: { ...message, entry } },
    { where: "anywhere", name, message: { ...message, revision: 8, entry: null } },
  ]);
});

test("one that older code wrote has no metadata: it is listed without", async () => {
  const { told, env } = indexes({ result: "told" });
  await tell(env, "none", { revision: 1, createdMs: 1, untilMs: 2, response: '{"model":"m"}' });
  expect(told[0]?.message.entry?.metadata).toBe("{}");
});

test("a list of another version is told again later; another user's, and a turn that is in none, never", async () => {
  const listed = { revision: 1, createdMs: 1, untilMs: 2, response };
  const newer = indexes({ result: "version-unsupported", supported: 2 });
  expect(await tell(newer.env, "none", listed)).toMatchObject({ result: "retry" });
  const others = indexes({ result: "unknown" });
  expect(await tell(others.env, "none", listed)).toMatchObject({ result: "acknowledged" });
  expect(await tell(others.env, "none", null)).toMatchObject({ result: "acknowledged" });
  expect(others.told).toHaveLength(1);
});

test("a response that is kept is told to a list of its own, which nobody is shown", async () => {
  const { told, env } = indexes({ result: "told" });
  const id = responseId.replace("chatcmpl-", "resp_");
  const effect = { kind: "list", jurisdiction: "none", owner, responseId: id } as const;
  const times = { revision: 7, createdMs: 5, untilMs: 99 };
  const twoLines = '{"object":"response"}\n{"input":[]}';
  expect(await tellCompletionIndex(env, effect, { ...times, response: twoLines })).toEqual({
    result: "acknowledged",
  });
  const message = { v: 1, owner, objectName, revision: 7, createdMs: 5 };
  const entry = { id, model: "", metadata: "{}", untilMs: 99 };
  expect(told).toEqual([{ where: "anywhere", name: 'acme/responses/"ann"', message: { ...message, entry } }]);
});
