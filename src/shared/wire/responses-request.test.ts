import { describe, expect, test } from "vitest";
import { chatOf } from "../responses/to-chat.ts";
import { echoOf } from "../responses/response-object.ts";
import { parseInputTokensRequest } from "./input-tokens-request.ts";
import { parseResponseRequest } from "./responses-request.ts";
import { takenResponse } from "./responses-request-fixture.ts";

function parse(fields: Record<string, unknown>) {
  return parseResponseRequest(JSON.stringify({ model: "auto", input: "Hello", ...fields }));
}

test("fields without effect are dropped, so that no unbounded value is stored", () => {
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  const result = parseResponseRequest(
    `{"model":"auto","input":"Hello","prompt_cache_options":{"ttl":${deep}}}`,
  );
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  expect(JSON.stringify(result.value)).not.toContain("[[");
});

test("a request in Codex's form is accepted, and its own metadata is dropped", () => {
  const tool = { type: "function", name: "exec_command", description: "", strict: false, parameters: {} };
  const said = (role: string, text: string) => ({
    type: "message",
    role,
    content: [{ type: "input_text", text }],
  });
  const result = parse({
    instructions: "You are Codex.",
    input: [
      said("developer", "<permissions instructions>"),
      said("user", "List the files."),
      { type: "reasoning", id: "rs_1", summary: [], content: null, encrypted_content: null },
      { type: "function_call", id: "fc_1", name: "exec_command", arguments: "{}", call_id: "c1" },
      { type: "function_call", name: "exec_command", arguments: "{}", call_id: "c2" },
      { type: "function_call_output", call_id: "c1", output: "a.txt" },
      { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "b.txt" }] },
    ],
    tools: [tool],
    tool_choice: "auto",
    parallel_tool_calls: true,
    reasoning: { effort: "medium", summary: "auto" },
    store: false,
    stream: true,
    include: ["reasoning.encrypted_content"],
    prompt_cache_key: "0199f3",
    service_tier: "priority",
    text: { verbosity: "low" },
    client_metadata: { "x-codex-installation-id": "7d2c" },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  expect(JSON.stringify(result.value)).not.toContain("7d2c");
});

describe("functions in namespaces, as Codex has those of MCP servers and of several agents", () => {
  const find = { type: "function", name: "find", parameters: { type: "object" } };
  const crm = { type: "namespace", name: "crm", description: "Customers", tools: [find] };
  const flat = { ...find, name: "crm__find" };

  test("are offered and remembered by one name to the engine, and repeated as they were sent", () => {
    const call = { type: "function_call", call_id: "c", name: "find", namespace: "crm", arguments: "{}" };
    const output = { type: "function_call_output", call_id: "c", namespace: "crm", output: "Ann" };
    const request = takenResponse({
      model: "auto",
      input: [call, output],
      tools: [crm, { ...find, name: "other" }],
    });
    const { tools, messages } = chatOf(request);
    expect(tools?.map((tool) => tool.function.name)).toEqual(["crm__find", "other"]);
    expect(messages[0]).toMatchObject({ tool_calls: [{ function: { name: "crm__find" } }] });
    expect(echoOf(request)["tools"]).toMatchObject([
      { type: "namespace", name: "crm", tools: [{ name: "find" }] },
      { name: "other" },
    ]);
  });

  test("are chosen by that name", () => {
    expect(parse({ tools: [crm], tool_choice: { type: "function", name: "crm__find" } }).ok).toBe(true);
    expect(parse({ tools: [crm], tool_choice: "required" }).ok).toBe(true);
    expect(parse({ tools: [crm], tool_choice: { type: "function", name: "find" } })).toMatchObject({
      error: { param: "tool_choice.name" },
    });
  });

  test("are chosen, and sent back as a conversation shows them, by both names in one, however long each is", () => {
    const long = { ...crm, name: "n".repeat(64), tools: [{ ...find, name: "f".repeat(64) }] };
    const name = `${long.name}__${long.tools[0]?.name}`;
    const chosen = { type: "function", name };
    const input = [
      { type: "function_call", call_id: "c", name, arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "Ann" },
    ];
    for (const choice of [chosen, { type: "allowed_tools", mode: "auto", tools: [chosen] }])
      expect(parse({ tools: [long], input, tool_choice: choice })).toMatchObject({ ok: true });
    expect(parse({ tools: [{ ...find, name }] })).toMatchObject({ error: { param: "tools[0].name" } });
    expect(parse({ input: [{ ...input[0], name: `${name}f` }, input[1]] })).toMatchObject({
      error: { param: "input[0].name" },
    });
  });

  test.each([
    [{ tools: [{ ...crm, tools: [find, { type: "custom", name: "c" }] }] }, "tools[0].tools[1].type"],
    [{ tools: [{ ...crm, tools: [] }] }, "tools[0].tools"],
    [{ tools: [crm, flat] }, "tools[1].name"],
    [{ tools: [{ ...crm, tools: [find, find] }] }, "tools[0].tools[1].name"],
    [
      {
        tools: [
          crm,
          { ...crm, name: "b", tools: Array.from({ length: 128 }, (_, at) => ({ ...find, name: `f${at}` })) },
        ],
      },
      "tools",
    ],
    [{ tools: [crm], tool_choice: { type: "namespace", name: "crm" } }, "tool_choice.type"],
  ])("%j", (fields, param) => {
    expect(parse(fields)).toMatchObject({ ok: false, error: { param } });
  });
});

describe("OpenAI's forms that belong to something that is not offered here are told apart from what is wrong", () => {
  const content = (part: object) => ({ input: [{ role: "user", content: [part] }] });
  const allowed = (tool: object) => ({
    tools: [{ type: "function", name: "f" }],
    tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }, tool] },
  });

  test.each([
    [content({ type: "input_file", file_url: "https://x.example" }), "input[0].content[0].file_url"],
    [content({ type: "input_image", detail: "auto", file_id: "file-1" }), "input[0].content[0].file_id"],
    [
      content({ type: "input_image", detail: "auto", file_id: "file-1", image_url: null }),
      "input[0].content[0].file_id",
    ],
    [
      {
        input: [
          { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
          { type: "function_call_output", call_id: "c", output: [{ type: "input_file", file_data: "YQ==" }] },
        ],
      },
      "input[1].output[0].type",
    ],
    [{ tool_choice: { type: "web_search_preview" } }, "tool_choice.type"],
    [{ tool_choice: { type: "computer_use" } }, "tool_choice.type"],
    [{ tool_choice: { type: "mcp", server_label: "s" } }, "tool_choice.type"],
    [{ tool_choice: { type: "custom", name: "c" } }, "tool_choice.type"],
    [allowed({ type: "web_search" }), "tool_choice.tools[1].type"],
    [allowed({ type: "mcp", server_label: "s" }), "tool_choice.tools[1].type"],
  ])("%j", (fields, param) => {
    const refused = { ok: false, error: { kind: "parameter-unsupported", param } };
    expect(parse(fields)).toMatchObject(refused);
    // Counting the same prompt gives the same error.
    expect(
      parseInputTokensRequest(JSON.stringify({ model: "auto", input: "Hello", ...fields })),
    ).toMatchObject(refused);
  });

  test.each([
    [content({ type: "input_image", detail: "auto" }), "input[0].content[0].image_url"],
    [content({ type: "picture" }), "input[0].content[0].type"],
    [{ tool_choice: { type: "banana" } }, "tool_choice.type"],
    [allowed({ type: "banana" }), "tool_choice.tools[1].type"],
  ])("%j is wrong", (fields, param) => {
    expect(parse(fields)).toMatchObject({ ok: false, error: { kind: "value-invalid", param } });
  });
});
