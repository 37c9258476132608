import { expect, test } from "vitest";
import { modelOf } from "./use-models.ts";

test.each([
  [["auto", "llama"], "llama", "llama"],
  [["auto", "llama"], "gone", "auto"],
  [["llama", "mistral"], "auto", "llama"],
  [[], "auto", "auto"],
])("of the models %j with %s chosen, %s is asked and shown", (models, chosen, asked) => {
  expect(modelOf(models, chosen)).toBe(asked);
});
