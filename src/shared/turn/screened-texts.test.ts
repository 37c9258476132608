import { expect, test } from "vitest";
import demo from "../../../config/tenants/demo.json" with { type: "json" };
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { checkTenantConfig } from "../tenancy/tenant-entries.ts";
import { chatFieldRules } from "../wire/chat-fields.ts";
import { parseChatRequest } from "../wire/chat-request.ts";
import { askedChat } from "./asked-chat.ts";
import { screenChat } from "./screen-request.ts";

/** Which texts reach an engine as they were sent? The table of docs/moderation.md says it. */
const checked = checkTenantConfig({ ...demo, id: "acme", safety: { input: { action: "mask" } } });
if (!checked.ok) throw new Error(checked.error);
const tenant = checked.value;

const places: string[] = [];
/** A secret that may stand wherever a text may, names and ids among them; another one at each place. */
function secret(place: string): string {
  places.push(place);
  return `npm_${String(places.length).padStart(4, "0")}aB3dE5gH7jK9mN1pQrS2tUvW4xYz6C8f`;
}

const call = (at: string) => ({
  id: secret(`${at}.id`),
  type: "function",
  function: { name: secret(`${at}.name`), arguments: JSON.stringify({ to: secret(`${at}.arguments`) }) },
});
const answered = call("call");
const schema = {
  type: "object",
  description: secret("schema.description"),
  properties: { [secret("schema.key")]: { type: "string", enum: [secret("schema.enum")] } },
};
const request = {
  model: "m",
  messages: [
    { role: "system", content: secret("system.content"), name: secret("system.name") },
    { role: "developer", content: [{ type: "text", text: secret("developer.content") }] },
    { role: "user", content: secret("user.content"), name: secret("user.name") },
    {
      role: "assistant",
      content: [
        { type: "text", text: secret("assistant.content") },
        { type: "refusal", refusal: secret("assistant.content.refusal") },
      ],
      name: secret("assistant.name"),
      reasoning: secret("assistant.reasoning"),
      reasoning_content: secret("assistant.reasoning_content"),
    },
    { role: "assistant", refusal: secret("assistant.refusal") },
    { role: "assistant", content: secret("calling.content"), tool_calls: [answered] },
    { role: "tool", content: secret("tool.content"), tool_call_id: answered.id, name: secret("tool.name") },
    { role: "user", content: [{ type: "text", text: secret("user.part") }] },
  ],
  stop: [secret("stop")],
  bad_words: [secret("bad_words")],
  tools: [
    {
      type: "function",
      function: { name: "look_up", description: secret("tool.description"), parameters: schema },
    },
  ],
  tool_choice: "auto",
};
const format = {
  type: "json_schema",
  json_schema: { name: secret("format.name"), description: secret("format.description"), schema },
};
const others = [
  { response_format: format },
  { structured_outputs: { json: schema } },
  { structured_outputs: { choice: [secret("outputs.choice")] } },
  { structured_outputs: { regex: secret("outputs.regex") } },
  { structured_outputs: { grammar: secret("outputs.grammar") } },
];

const model = modelRecord({
  id: "m",
  served_name: "m",
  context_window: 32_000,
  capabilities: ["chat", "tools", "structured-output"],
});

async function bodyOf(more: object): Promise<string> {
  const parsed = parseChatRequest(JSON.stringify({ ...request, ...more }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const screened = await screenChat(parsed.value, tenant, {});
  if (!screened.ok) throw new Error(screened.error.kind);
  const composed = askedChat(screened.value.request).compose({
    history: [],
    defaultSystemPrompt: null,
    model,
    estimateRatio: 1,
    stream: true,
    cacheSalt: null,
    affinitySeed: null,
    spotlight: null,
    passages: null,
  });
  if (!composed.ok) throw new Error(composed.error.kind);
  return composed.value.body;
}

test("every text that an engine gets is screened, but for those that the table says", async () => {
  const reached = new Set<string>();
  for (const more of [{}, ...others])
    for (const [found] of (await bodyOf(more)).matchAll(/npm_\d{4}/g))
      reached.add(places[Number(found.slice(4)) - 1] ?? "");
  expect([...reached].sort()).toEqual(
    ["bad_words", "call.id", "call.name", "outputs.grammar", "outputs.regex", "stop"].sort(),
  );
});

test("and every field that goes to an engine was filled in, or holds no text", () => {
  const filled = new Set([request, ...others].flatMap((one) => Object.keys(one)));
  const toEngine = Object.entries(chatFieldRules).filter(
    ([, { effect }]) => effect === "passed" || effect === "converted",
  );
  const numbersAndSwitches =
    /^(temperature|top_p|top_k|min_p|\w+_penalty|seed|logit_bias|logprobs|top_logprobs|n|min_tokens|ignore_eos|stop_token_ids|allowed_token_ids|include_stop_str_in_output|skip_special_tokens|spaces_between_special_tokens|return_tokens_as_token_ids|include_reasoning|thinking_token_budget|parallel_tool_calls|reasoning_effort|chat_template_kwargs)$/;
  const rest = toEngine.map(([field]) => field).filter((field) => !filled.has(field));
  expect(rest.filter((field) => !numbersAndSwitches.test(field))).toEqual([]);
});
