import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { apiFieldsFile, apiFieldsPage } from "../../dev/api-fields-page.ts";
import { chatFieldRules, refusedChatFields } from "../../src/shared/wire/chat-fields.ts";
import { refusedResponseFields, responseFieldRules } from "../../src/shared/wire/responses-fields.ts";

/** The tables of fields against the page about them. What of them OpenAI's own description says: openai-requests.test.ts. */

test("docs/api-fields.md says what the tables say (node dev/api-fields-page.ts writes it)", () => {
  expect(readFileSync(apiFieldsFile, "utf8")).toBe(apiFieldsPage());
});

test("no field is both taken and refused", () => {
  for (const field of Object.keys(refusedChatFields)) expect(chatFieldRules).not.toHaveProperty([field]);
  for (const field of Object.keys(refusedResponseFields))
    expect(responseFieldRules).not.toHaveProperty([field]);
});
