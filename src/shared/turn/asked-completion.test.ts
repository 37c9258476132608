import { expect, test } from "vitest";
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { parseCompletionRequest } from "../wire/completions-request.ts";
import { askedCompletion } from "./asked-completion.ts";

const model = modelRecord({ id: "m", served_name: "m", context_window: 8_192 });

function composed(fields: object, estimateRatio = 1) {
  const parsed = parseCompletionRequest(JSON.stringify({ model: "m", ...fields }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return askedCompletion(parsed.value).compose({
    history: [],
    defaultSystemPrompt: null,
    model,
    estimateRatio,
    stream: false,
    cacheSalt: null,
    affinitySeed: null,
    spotlight: null,
    passages: null,
  });
}

test("a prompt is refused for its own length, and never for a ratio that was learned of others", () => {
  const words = (count: number) => "word ".repeat(count);
  expect(composed({ prompt: words(4_000) }, 3).ok).toBe(true);
  expect(composed({ prompt: ["short", words(9_500)] })).toMatchObject({
    ok: false,
    error: { kind: "context-too-long", windowTokens: 8_192, answerTokens: 16 },
  });
});
