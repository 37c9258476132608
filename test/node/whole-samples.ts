/** Samples of openai-samples.ts made whole: what our parsers want beside the one thing that a sample shows. */
import { isRecord } from "../../src/shared/wire/is-record.ts";

export type Body = Record<string, unknown>;

/** What only makes sense beside something else gets it. Values are shared between samples: none is changed. */
export function whole(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(whole);
  if (!isRecord(body)) return body;
  const { type, value, role } = body;
  const inside = Object.fromEntries(Object.entries(body).map(([name, one]) => [name, whole(one)]));
  const isList = type === "in" || type === "nin";
  if (isList && !Array.isArray(value)) return { ...inside, value: [value] };
  if (!isList && "key" in body && Array.isArray(value)) return { ...inside, type: "in" };
  if (type === "input_image" && lacks(body, "file_id") && lacks(body, "image_url"))
    return { ...inside, image_url: png };
  if (type === "input_file" && ["file_id", "file_url", "file_data"].every((name) => lacks(body, name)))
    return { filename: "a.txt", ...inside, file_data: file };
  if (type === "file" && isRecord(body["file"]) && lacks(body["file"], "file_id"))
    return { ...inside, file: { ...body["file"], file_data: file } };
  if (role === "assistant" && lacks(body, "content") && lacks(body, "tool_calls"))
    return { ...inside, content: "x" };
  return inside;
}

function lacks(body: Body, name: string): boolean {
  return (body[name] ?? null) === null;
}

const png = "data:image/png;base64,iVBORw0KGgo=";
const file = "data:text/plain;base64,aGk=";
export const known = {
  model: "auto",
  image_url: png,
  file_data: file,
  arguments: "{}",
  previous_response_id: "resp_1",
  // The least number that JSON can say of 64 bits is below them.
  seed: 1,
};

const functionTool = { type: "function", function: { name: "x" } };

/** A call is answered, and an answer is to a call. */
function wholeItems(items: readonly Body[]): Body[] {
  const [item] = items;
  const call = { type: "function_call", call_id: "x", name: "x", arguments: "{}" };
  if (item?.["type"] === "function_call_output") return [call, { ...item, call_id: "x" }];
  if (item?.["type"] !== "function_call") return [...items];
  return [item, { type: "function_call_output", call_id: item["call_id"], output: "x" }];
}

function wholeChoice(choice: unknown, named: Body): unknown {
  if (!isRecord(choice) || choice["type"] !== "allowed_tools") return choice;
  const allowed = choice["allowed_tools"];
  return isRecord(allowed)
    ? { ...choice, allowed_tools: { ...allowed, tools: [named] } }
    : { ...choice, tools: [named] };
}

export function wholeStream(body: Body): Body {
  return lacks(body, "stream_options") ? body : { ...body, stream: true };
}

function needsTools(choice: unknown): boolean {
  return isRecord(choice) || choice === "required";
}

export function wholeChat(body: Body): Body {
  const messages = [...((body["messages"] as Body[] | undefined) ?? [])];
  const last = messages.at(-1);
  if (last?.["role"] === "tool")
    messages.unshift({ role: "assistant", tool_calls: [{ ...functionCall, id: last["tool_call_id"] }] });
  if (Array.isArray(last?.["tool_calls"])) messages.push({ role: "tool", content: "x", tool_call_id: "x" });
  return {
    ...wholeStream(body),
    messages,
    tool_choice: wholeChoice(body["tool_choice"], functionTool),
    ...(needsTools(body["tool_choice"]) ? { tools: [functionTool] } : {}),
    ...(body["top_logprobs"] === undefined ? {} : { logprobs: true }),
  };
}

const functionCall = { type: "function", function: { name: "x", arguments: "{}" } };

const responseTools = [
  { type: "function", name: "x", parameters: {}, strict: true },
  { type: "file_search", vector_store_ids: ["x"] },
];

export function wholeResponse(body: Body): Body {
  return {
    ...wholeStream(body),
    model: "auto",
    input: Array.isArray(body["input"]) ? wholeItems(body["input"] as Body[]) : (body["input"] ?? "x"),
    tool_choice: wholeChoice(body["tool_choice"], { type: "function", name: "x" }),
    ...(needsTools(body["tool_choice"]) ? { tools: responseTools } : {}),
  };
}

export function wholeConversation(body: Body): Body {
  return Array.isArray(body["items"]) ? { ...body, items: wholeItems(body["items"] as Body[]) } : body;
}
