import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { writtenFile } from "../../../src/shared/prompt/attached-files.ts";
import { passagesText } from "../../../src/shared/prompt/passages.ts";
import { spotlight } from "../../../src/shared/safety/spotlight.ts";
import type { Conversation, JsonSchema, Tool, Turn } from "./conversation.ts";
import { instanceOf } from "./json-instance.ts";
import { replyTo } from "./reply.ts";
import { schemaFault } from "./schema-check.ts";

const turn = (role: Turn["role"], text: string): Turn => ({ role, text, calls: [], media: [] });

function conversation(turns: readonly Turn[], more: Partial<Conversation> = {}): Conversation {
  return {
    model: "m",
    turns,
    tools: [],
    toolChoice: { kind: "auto" },
    format: { kind: "text" },
    reasoning: false,
    parallelCalls: false,
    ...more,
  };
}

const tool = (name: string, description: string, properties: Record<string, unknown>): Tool => ({
  name,
  description,
  parameters: { type: "object", properties, required: Object.keys(properties) },
});
const text = { type: "string" };
const tools = [
  tool("get_weather", "Current weather of a city", { city: text }),
  tool("calculator", "Evaluates an arithmetic expression", { expression: text }),
  tool("run_sql", "Runs a read-only SQL query on the database", { query: text }),
];

describe("the stand-in", () => {
  test("says what it is and what it received", () => {
    const { content } = replyTo(conversation([turn("system", "Be brief."), turn("user", "Good morning")]), 0);
    expect(content).toContain("stand-in model of the dev fleet");
    expect(content).toContain("I received 2 messages");
    expect(content).toContain("Be brief.");
    expect(content).toContain("Good morning");
  });

  test("always says the same of the same", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(9), (question, variant) => {
        const asked = conversation([turn("user", question)]);
        expect(replyTo(asked, variant)).toEqual(replyTo(asked, variant));
      }),
    );
  });

  test.each([
    '<passage id="4">Basalt is a volcanic rock.</passage>\n<passage id="5">Chalk is soft and white.</passage>',
    "[4] Basalt is a volcanic rock.\n\n[5] Chalk is soft and white.",
  ])("answers from the passages that it is given, and cites them", (passages) => {
    const { content } = replyTo(
      conversation([turn("system", passages), turn("user", "What kind of rock is basalt?")]),
      0,
    );
    expect(content).toContain("Basalt is a volcanic rock [4].");
    expect(content).not.toContain("[5]");
  });

  test("says a sentence once that passages repeat, with each of them", () => {
    const rock = "Basalt is a volcanic rock.";
    const passages = `[1] ${rock} ${rock}\n\n[2] ${rock} Basalt is dark.`;
    const { content } = replyTo(
      conversation([turn("system", passages), turn("user", "What kind of rock is basalt?")]),
      0,
    );
    expect(content.split("Basalt is a volcanic rock")).toHaveLength(2);
    expect(content).toContain("Basalt is a volcanic rock [1][2].");
  });

  test("leaves out the signs by which words of passages and results of tools are marked as data", () => {
    const found = [
      { fileId: "f", filename: "rocks.md", attributes: {}, ordinal: 0, start: 0, end: 9, score: 1 },
    ];
    const { text } = passagesText(
      found.map((one) => ({ ...one, text: "Chalk is soft.\nBasalt is a volcanic rock." })),
      "bars",
      { tokens: 1000, windowTokens: 8000, estimateRatio: 1, markedBy: "secret" },
    );
    const cited = replyTo(conversation([turn("user", `${text}What kind of rock is basalt?`)]), 0);
    expect(cited.content).toBe("From the passages that I was given: Basalt is a volcanic rock [1].");
    const result = spotlight(
      "18 degrees\nand rain",
      { secret: "secret", marksWords: true },
      "what a tool returned",
    );
    const told = replyTo(conversation([turn("user", "Weather?"), turn("tool", result)]), 0);
    expect(told.content).toContain("18 degrees");
    expect(told.content).toContain("and rain");
  });

  test.each([null, "secret"])(
    "answers from the files that came with the messages, and says where it stands (signs: %s)",
    (signs) => {
      const file = {
        filename: "rocks.pdf",
        texts: ["Chalk is soft.", "", "Basalt is a volcanic rock."],
        has_pages: true,
      };
      const asked = (question: string) =>
        replyTo(conversation([turn("user", `${question}\n${writtenFile(file, "bars", signs)}`)]), 0).content;
      expect(asked("What kind of rock is basalt?")).toBe(
        "From the files that came with the messages: Basalt is a volcanic rock [rocks.pdf, page 3].",
      );
      expect(asked("Who are you?")).toMatch(
        /Of files came: rocks\.pdf, page 1; rocks\.pdf, page 3\. You wrote: "Who are you\?"$/,
      );
    },
  );

  test("says so when no passage answers", () => {
    const { content } = replyTo(
      conversation([turn("system", "[1] Basalt is a rock."), turn("user", "Who won the cup?")]),
      0,
    );
    expect(content).toContain("none of them answers");
  });

  test.each([
    ["What is the weather in Paris?", "get_weather", { city: "Paris" }],
    ["What is 3 * (4 + 5)?", "calculator", { expression: "3 * (4 + 5)" }],
    ["Use run_sql with `SELECT 1`", "run_sql", { query: "SELECT 1" }],
    ['Call get_weather with {"city": "Oslo"}', "get_weather", { city: "Oslo" }],
  ])("calls a tool when the question needs it: %s", (question, name, args) => {
    const { calls } = replyTo(conversation([turn("user", question)], { tools }), 0);
    expect(calls).toEqual([{ name, arguments: args }]);
  });

  test("calls none when the question needs none, or none is allowed", () => {
    expect(replyTo(conversation([turn("user", "Good morning!")], { tools }), 0).calls).toEqual([]);
    const none = conversation([turn("user", "What is 1 + 1?")], { tools, toolChoice: { kind: "none" } });
    expect(replyTo(none, 0).calls).toEqual([]);
  });

  test("calls one when it must", () => {
    const turns = [turn("user", "Good morning!")];
    expect(replyTo(conversation(turns, { tools, toolChoice: { kind: "required" } }), 0).calls).toHaveLength(
      1,
    );
    const named = conversation(turns, { tools, toolChoice: { kind: "named", name: "run_sql" } });
    expect(replyTo(named, 0).calls[0]?.name).toBe("run_sql");
  });

  test("answers from a tool's result instead of calling again", () => {
    const called: Turn = { ...turn("assistant", ""), calls: [{ name: "get_weather", arguments: {} }] };
    const turns = [
      turn("user", "What is the weather in Paris?"),
      called,
      turn("tool", "18 degrees and rain"),
    ];
    const reply = replyTo(conversation(turns, { tools }), 0);
    expect(reply.calls).toEqual([]);
    expect(reply.content).toContain("18 degrees and rain");
  });
});

describe("a structured answer", () => {
  const schemas: [string, JsonSchema][] = [
    [
      "an object",
      {
        type: "object",
        properties: { a: { type: "integer", minimum: 3 }, b: { type: "boolean" } },
        required: ["a"],
      },
    ],
    [
      "limits",
      {
        type: "object",
        properties: {
          x: { type: "number", exclusiveMinimum: 0, maximum: 0.25 },
          y: { type: "integer", multipleOf: 7, minimum: 20 },
        },
      },
    ],
    [
      "strings",
      { type: "array", minItems: 3, maxItems: 3, items: { type: "string", minLength: 12, maxLength: 14 } },
    ],
    ["a pattern", { type: "string", pattern: "^[A-Z]{3}-\\d{2,4}(?:x|y)?$" }],
    [
      "formats",
      {
        type: "object",
        properties: {
          at: { type: "string", format: "date-time" },
          mail: { type: "string", format: "email" },
          id: { type: "string", format: "uuid" },
        },
      },
    ],
    [
      "an enum and a const",
      {
        type: "object",
        properties: { e: { enum: ["red", "green"] }, c: { const: 4 } },
        required: ["e", "c"],
      },
    ],
    ["null or text", { type: "object", properties: { v: { type: ["string", "null"] } }, required: ["v"] }],
    [
      "either",
      {
        anyOf: [{ type: "null" }, { type: "object", properties: { k: { type: "string" } }, required: ["k"] }],
      },
    ],
    [
      "references",
      {
        $defs: { p: { type: "object", properties: { n: { type: "string" } }, required: ["n"] } },
        type: "object",
        properties: { p: { $ref: "#/$defs/p" } },
        required: ["p"],
      },
    ],
  ];
  test.each(schemas)("satisfies %s", (_, schema) => {
    expect(schemaFault(schema)).toBeUndefined();
    const value = instanceOf(schema, "Tell me about green things, 5 of them");
    const checked = z.fromJSONSchema(schema).safeParse(value);
    expect(checked.error?.issues).toBeUndefined();
  });

  test("is filled from the question where a field suits it", () => {
    const schema = {
      type: "object",
      properties: { city: text, days: { type: "integer" }, mood: { enum: ["sad", "glad"] } },
    };
    expect(instanceOf(schema, "I am glad to be in Lisbon for 4 days")).toEqual({
      city: "Lisbon",
      days: 4,
      mood: "glad",
    });
  });

  test("ends for a schema that refers to itself", () => {
    const schema = {
      type: "object",
      properties: {
        name: text,
        children: { type: "array", items: { $ref: "#" } },
        next: { anyOf: [{ $ref: "#" }, { type: "null" }] },
      },
      required: ["name", "children", "next"],
    };
    expect(instanceOf(schema, "x")).toHaveProperty("children");
  });
});
