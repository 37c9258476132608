/**
 * Writes docs/api-fields.md: what happens to every field that a client may know from OpenAI or vLLM. It is made from the parser's
 * own tables; a test fails if the page is outdated. Run `node dev/api-fields-page.ts`.
 */
import { writeFileSync } from "node:fs";
import { chatFieldRules, type FieldRule, refusedChatFields } from "../src/shared/wire/chat-fields.ts";
import { completionFields, ownCompletionNotes } from "../src/shared/wire/completions-request.ts";
import { embeddingFields } from "../src/shared/wire/embeddings-request.ts";
import { moderationFields } from "../src/shared/wire/moderations-request.ts";
import type { RefusedField } from "../src/shared/wire/field-reader.ts";
import { inputTokensFields } from "../src/shared/wire/input-tokens-request.ts";
import { routesNotOffered } from "../src/shared/wire/routes-not-offered.ts";
import { refusedResponseFields, responseFieldRules } from "../src/shared/wire/responses-fields.ts";
import { requestLimits } from "../src/shared/wire/request-limits.ts";
import { root } from "./local-secrets.ts";

export const apiFieldsFile = `${root}docs/api-fields.md`;

const effects: Readonly<Record<FieldRule["effect"], string>> = {
  passed: "passed",
  converted: "converted",
  used: "used here",
  none: "without effect",
};

export function apiFieldsPage(): string {
  return `# What becomes of every field

Written from the code's own tables by \`node dev/api-fields-page.ts\`; don't edit it. A test holds the tables against OpenAI's
published description, so that no field of theirs is without an answer here.

- **passed**: checked, and handed to the engine as it is.
- **converted**: handed to the engine in its own words, as the note says.
- **used here**: read on the way; the engine does not get it as it is.
- **without effect**: accepted and checked, since clients send it; the answer is the same without it.
- **refused**: 400 \`unsupported_parameter\` with \`param\`. Null counts as absent.

Any other field: 400 \`unknown_parameter\` with \`param\`. A value of the wrong type or out of bounds: 400 \`invalid_value\` with
\`param\`, such as \`messages[0].content[1].image_url.url\`. Null counts as absent for every optional field.

## POST /v1/chat/completions

${chatTable("OpenAI")}

### vLLM's fields

Sampling passes within bounds; what steers the engine's routing, the prompt's frame or the isolation of tenants never does.

${chatTable("vLLM")}

### Anthropic's fields

${chatTable("Anthropic")}

### Edgewise's own

${chatTable("Edgewise")}

### Messages

| form | becomes |
| --- | --- |
| roles \`system\`, \`user\`, \`assistant\`, \`tool\` | passed |
| role \`developer\` | \`system\` |
| role \`function\`, \`function_call\` | refused: use \`tool\` and \`tool_calls\` |
| \`name\` | passed; 1 to 64 characters without blanks and \`< | \\ / >\` |
| content as a string, or parts of type \`text\`; of \`tool\` also \`image_url\` | passed |
| \`image_url\` | passed: a \`data:\` URL (png, jpeg, gif, webp) up to the tenant's \`media.max_bytes\`, or \`https:\` on a host of \`media.allow_hosts\` |
| \`input_audio\` | passed: wav or mp3, same bound |
| \`file\` with \`file_data\` (a \`data:\` URL, or base64) or \`file_id\`, in messages of the user | its text ([attached-files.md](attached-files.md)) |
| \`video_url\`, \`audio_url\` | refused |
| \`refusal\` (part or field) | text of the assistant |
| \`tool_calls\` of type \`function\` | passed; arguments must be a JSON object as text, \`""\` counts as \`{}\` |
| \`tool_calls\` of type \`custom\` | refused |
| \`reasoning\`, \`reasoning_content\` | passed |
| \`prompt_cache_breakpoint\`, \`cache_control\` of a part | without effect |
| whatever else an assistant's message and its calls hold, as a client's library keeps it there (\`annotations\`, \`parsed\`, \`parsed_arguments\`, \`provider_specific_fields\`, …) | without effect |
| \`audio\` of an assistant message | refused |

Every call of an assistant message is answered by one tool message, before anything else is said, and nothing else is
answered. With \`conversation_id\` the first messages may answer the call that the stored conversation ends with. A stored call that
nobody answered, or that was cut off, is left out of later prompts.

## POST /v1/responses

${ruleTable(responseFieldRules, refusedResponseFields, "OpenAI")}

### vLLM's fields

${ruleTable(responseFieldRules, {}, "vLLM")}

### Tools

\`function\`, \`file_search\`, and \`web_search\` where the tenant has a search service (else it is refused); what the two find is numbered in one row, files first. Of \`web_search\`, \`filters.allowed_domains\` and \`search_context_size\` count, \`external_web_access: false\` is refused, and the rest has no effect. OpenAI's other kinds
(\`mcp\`, …) are refused by name, as \`tools[0].type\`. The tools that a tenant has the service run ([tools.md](tools.md)) are offered beside them: their names are taken. Of a function,
\`name\`, \`description\`, \`parameters\` and \`strict\` are passed; \`output_schema\`, \`defer_loading\` and \`allowed_callers\` are refused.
The functions of a \`namespace\` are offered to the model as \`namespace__name\`, as vLLM does it, and its description has no effect. A call of one comes back with \`name\` and \`namespace\` apart, and is
sent back so; a \`tool_choice\` and the items of a conversation know it by the one name. No two functions may have the same one.
Of \`file_search\`, \`vector_store_ids\` (up to 4), \`max_num_results\`, \`filters\` and \`ranking_options\` are used; of the last, \`hybrid_search\` has no
effect. It is searched once, before the model is asked, unless \`tool_choice\` is \`none\` or allows other tools alone ([grounding.md](grounding.md)).

### Input items

| form | becomes |
| --- | --- |
| a string | a message of the user |
| \`message\` (or no \`type\`) of \`user\`, \`system\`, \`developer\`: a string, or \`input_text\` and (user) \`input_image\`, \`input_file\` | passed; \`developer\` as \`system\` |
| \`input_image\` with \`image_url\` | passed, as in chat; \`detail: "original"\` as \`high\` |
| \`input_image\` with \`file_id\` | refused |
| \`input_file\` with \`file_data\` (a \`data:\` URL, or base64) or \`file_id\`; \`detail\` has no effect | its text ([attached-files.md](attached-files.md)) |
| \`input_file\` with \`file_url\` | refused: nothing is fetched for a request |
| \`message\` of \`assistant\`: a string, or \`output_text\`, \`refusal\` | passed as text |
| \`function_call\` (with its \`namespace\`), \`function_call_output\` | passed as calls and tool messages; every call is answered before the next message, but for what the model itself said after it. A stored call that was cut off in its arguments goes on without any |
| \`output\` of a \`function_call_output\`: a string, or parts of type \`input_text\` and \`input_image\` | passed, pictures in their places; \`input_file\` is refused: send it in a message of the user, behind the results |
| \`reasoning\` with \`content\` | goes with the answer after it; \`summary\` and \`encrypted_content\` have no effect |
| \`mcp_call\` | a call and its result, as the response that it is of had it |
| \`web_search_call\` | nothing: the answer says what was found |
| \`file_search_call\` | taken, without effect: what it found was of its own turn |
| \`item_reference\`, or an \`id\` alone | the item of a stored response of yours, as if it were sent back whole; 404 where there is none |
| OpenAI's other kinds | refused by name |
| \`id\`, \`status\`, \`phase\`, \`annotations\`, \`logprobs\` | without effect |

Instructions, tools, \`text\` and metadata may have 150,000 characters together as JSON, since events repeat them; an answer's texts 300,000,
at which it ends as \`incomplete\`.

## POST /v1/responses/input_tokens

Counts the prompt that the same fields of POST /v1/responses would make, with what it goes on from, the tenant's own instructions and the
template. Taken: ${inputTokensFields.map((field) => `\`${field}\``).join(", ")}, of which \`personality\` has no effect; \`model\` alone must be there.
The engine counts where it can (vLLM's \`/tokenize\`) and has room for it; else, and where there are images, it is the estimate by which tokens are
reserved (src/shared/prompt/token-estimate.ts). \`edgewise.basis\` says which: \`exact\` or \`estimated\`. With \`file_search\` files are searched as for a response, and \`edgewise.retrieval\`
says how many passages are counted, and whether all that would be found. It counts as a request and costs no tokens; over the
model's window it is 400 \`context_length_exceeded\`, as the response would be.

## POST /v1/completions

| field | effect | note |
| --- | --- | --- |
${completionFields.taken.map((field) => row(field, ...completionRule(field))).join("\n")}
${completionFields.refused
  .filter((field) => ownCompletionNotes.has(field))
  .map((field) => row(field, "refused", ownCompletionNotes.get(field) ?? ""))
  .join("\n")}

Refused as in chat: ${completionFields.refused
    .filter((field) => !ownCompletionNotes.has(field))
    .map((field) => `\`${field}\``)
    .join(", ")}.

## POST /v1/embeddings

| field | effect | note |
| --- | --- | --- |
${embeddingFields.taken.map((field) => row(field, ...(embeddingRules[field] ?? ["passed", ""]))).join("\n")}
${embeddingFields.refused.map((field) => row(field, "refused", "")).join("\n")}

## POST /v1/moderations

| field | effect | note |
| --- | --- | --- |
${moderationFields.map((field) => row(field, ...(moderationRules[field] ?? ["used here", ""]))).join("\n")}

## POST /v1/conversations, POST /v1/conversations/{id}/items

Up to 20 items in the forms of a response's input. \`reasoning\` is taken, since clients send whole answers, and is not kept. Refused: messages of
\`system\` and \`developer\`, since instructions are of their turn and are sent with each, and \`item_reference\`.

## Routes that are not offered

OpenAI's other routes: 404 \`unknown_url\`, whose message says the same.

| what begins with | use |
| --- | --- |
${Object.entries(routesNotOffered)
  .map(([name, instead]) => `| \`/v1/${name}\` | ${instead} |`)
  .join("\n")}

## Bounds

One table in the code, src/shared/wire/request-limits.ts, with the reason for each.

| bound | at most |
| --- | --- |
${Object.entries(requestLimits)
  .map(
    ([bound, most]) =>
      `| ${bound.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} | ${most.toLocaleString("en-US")} |`,
  )
  .join("\n")}
`;
}

const moderationRules: Readonly<Record<string, readonly [string, string]>> = {
  input: [
    "used here",
    "A text, texts, or parts, which are one input together. Images among them are not judged.",
  ],
  model: ["used here", "OpenAI's names mean the classifier in process; else a guard model of the fleet."],
};

const embeddingRules: Readonly<Record<string, readonly [string, string]>> = {
  model: ["used here", "The engine gets its own name for it."],
  input: ["passed", "Text, texts, token ids, or lists of token ids."],
  dimensions: ["passed", "Only some models can shorten their vectors."],
  user: ["without effect", "The user is known by the credential."],
};

function chatTable(origin: FieldRule["origin"] | RefusedField["origin"]): string {
  return ruleTable(chatFieldRules, refusedChatFields, origin);
}

function ruleTable(
  rules: Readonly<Record<string, FieldRule>>,
  refusedFields: Readonly<Record<string, RefusedField>>,
  origin: FieldRule["origin"] | RefusedField["origin"],
): string {
  const taken = Object.entries(rules)
    .filter(([, rule]) => rule.origin === origin)
    .map(([field, rule]) => row(field, effects[rule.effect], rule.note));
  const refused = Object.entries(refusedFields)
    .filter(([, rule]) => rule.origin === origin)
    .map(([field, rule]) => row(field, "refused", `It ${rule.message}.`));
  return ["| field | effect | note |", "| --- | --- | --- |", ...taken, ...refused].join("\n");
}

const completionEffects: Readonly<Record<string, string>> = {
  model: "used here",
  temperature: "converted",
  best_of: "without effect",
};

function completionRule(field: string): readonly [string, string] {
  const own = ownCompletionNotes.get(field);
  if (own !== undefined) return [completionEffects[field] ?? "passed", own];
  const rule: FieldRule | undefined = Object.hasOwn(chatFieldRules, field)
    ? chatFieldRules[field as keyof typeof chatFieldRules]
    : undefined;
  if (rule === undefined) throw new Error(`${field} has no note: add one to ownCompletionNotes`);
  return [effects[rule.effect], rule.note];
}

function row(field: string, effect: string, note: string): string {
  return `| \`${field}\` | ${effect} | ${note.replaceAll("|", "\\|")} |`;
}

if (import.meta.main) writeFileSync(apiFieldsFile, apiFieldsPage());
