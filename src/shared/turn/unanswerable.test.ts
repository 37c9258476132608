import { expect, test } from "vitest";
import demo from "../../../config/tenants/demo.json" with { type: "json" };
import type { Principal } from "../identity/principal.ts";
import { TokenCalibration } from "../prompt/token-calibration.ts";
import { fleetSchema } from "../routing/fleet/fleet-config.ts";
import { buildFleetIndex } from "../routing/fleet/fleet-index.ts";
import { checkTenantConfig } from "../tenancy/tenant-entries.ts";
import { parseChatRequest } from "../wire/chat-request.ts";
import { askedChat } from "./asked-chat.ts";
import { unanswerable } from "./unanswerable.ts";

const fleet = buildFleetIndex(
  fleetSchema.parse({
    version: "1",
    clusters: [
      {
        id: "us",
        region: "us",
        replicas: [{ id: "a", url: "http://10.0.0.1" }],
        models: [
          { id: "small", served_name: "small", context_window: 1_000, capabilities: ["chat"] },
          { id: "large", served_name: "large", context_window: 4_000, capabilities: ["chat", "tools"] },
        ],
      },
    ],
    aliases: { both: { models: ["small", "large"] } },
  }),
);
const principal = { tenant: "acme", user: "u", tier: "pro" } as unknown as Principal;

function refusalOf(model: string, words: number, more: object = {}, safety: object = {}) {
  const checked = checkTenantConfig({ ...demo, id: "acme", models: { allow: ["*"] }, safety });
  if (!checked.ok) throw new Error(checked.error);
  const messages = [{ role: "user", content: "word ".repeat(words) }];
  const parsed = parseChatRequest(JSON.stringify({ model, messages, ...more }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const turn = { principal, tenant: checked.value, asked: askedChat(parsed.value) };
  return unanswerable(turn, { fleet, calibration: new TokenCalibration() })?.kind ?? null;
}

const tools = [{ type: "function", function: { name: "add" } }];
const result = { role: "tool", tool_call_id: "call_1", content: "3" };
const masks = { input: { action: "mask" } };

test.each<[why: string, model: string, words: number, more: object, safety: object, kind: string | null]>([
  ["what fits", "small", 10, {}, {}, null],
  ["a model that is not there", "nope", 10, {}, {}, "model-unknown"],
  ["a model that calls no tools", "small", 10, { tools }, {}, "parameter-unsupported"],
  ["more words than the window has", "small", 1_500, {}, {}, "context-too-long"],
  ["more words than the first one's window, but not the second's", "both", 1_500, {}, {}, null],
  ["more than either's", "both", 6_000, {}, {}, "context-too-long"],
  ["too long an answer behind it", "small", 500, { max_tokens: 900 }, {}, "context-too-long"],
  ["more than fits, of which masks may leave less", "small", 1_500, {}, masks, null],
  ["more than fits, whatever masks leave", "small", 3_000, {}, masks, "context-too-long"],
  [
    "a result whose call only a history may have",
    "large",
    0,
    { tools, messages: [result], conversation_id: "c" },
    {},
    null,
  ],
])("%s", (_, model, words, more, safety, kind) => {
  expect(refusalOf(model, words, more, safety)).toBe(kind);
});
