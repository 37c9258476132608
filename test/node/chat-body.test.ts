import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chatRequestSchema,
  parseChatRequest,
  type SentChatRequest,
} from "../../src/shared/wire/chat-request.ts";
import { type ChatField, chatFieldRules, refusedChatFields } from "../../src/shared/wire/chat-fields.ts";
import { crossFieldFault } from "../../src/shared/wire/chat-rules.ts";
import { checkMedia } from "../../src/shared/wire/media.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";
import { normaliseChat } from "../../src/shared/wire/normalise-chat.ts";
import { errorSchema } from "../../src/shared/wire/responses.ts";
import { arbitraryChatBody } from "./arbitrary-chat-body.ts";
import { validChatBody } from "./valid-chat-body.ts";

/** The parser against thousands of generated bodies. */
const options = { models: ["auto", "llama-3.1-8b"], media: true };

/** Thousands of bodies on a busy machine. */
const timeout = 60_000;

describe("generated chat bodies", { timeout }, () => {
  test("every valid one is taken", () => {
    fc.assert(
      fc.property(validChatBody(options), (body) => {
        const result = parseChatRequest(JSON.stringify(body));
        expect(result).toMatchObject({ ok: true });
        if (result.ok)
          expect(checkMedia(result.value, { allow_hosts: [], max_bytes: 1024 })).toMatchObject({ ok: true });
      }),
      { numRuns: 1000 },
    );
  });

  test("broken ones never throw, and are refused in OpenAI's form with the field's name", () => {
    let refusedBodies = 0;
    fc.assert(
      fc.property(arbitraryChatBody({ ...options, validInTen: 2 }), ({ text }) => {
        const result = parseChatRequest(text);
        if (result.ok) return;
        refusedBodies += 1;
        const { error } = result;
        expect(["json-invalid", "value-invalid", "parameter-unknown", "parameter-unsupported"]).toContain(
          error.kind,
        );
        if (error.kind !== "json-invalid" && isObject(text))
          expect("param" in error && error.param).toBeTypeOf("string");
        const wire = toWireError(error);
        expect(wire.status).toBe(400);
        expect(errorSchema.safeParse(wire.body).success).toBe(true);
        expect(wire.body.error.message.length).toBeLessThan(2000);
        expect(wire.body.error.message.isWellFormed()).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(refusedBodies).toBeGreaterThan(1000);
  });

  test("the parser takes what the whole schema and the rules between fields take, and gives the same", () => {
    fc.assert(
      fc.property(arbitraryChatBody(options), ({ text }) => {
        expect(outcome(parseChatRequest(text))).toEqual(slowly(text));
      }),
      { numRuns: 3000 },
    );
  });

  test("what an engine gets of it holds no half of a surrogate pair, which would be a 500 there", () => {
    fc.assert(
      fc.property(arbitraryChatBody(options), ({ text }) => {
        const result = parseChatRequest(text);
        if (!result.ok) return;
        for (const [field, value] of Object.entries(result.value)) {
          if (chatFieldRules[field as ChatField].effect === "none" || field === "model") continue;
          // Only a lone half is written as an escape.
          expect(JSON.stringify(value)).not.toMatch(/(?<!\\)(?:\\\\)*\\ud[89a-f]/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function outcome(result: ReturnType<typeof parseChatRequest>): unknown {
  return result.ok ? plain(result.value) : "refused";
}

/** The same by the whole schema, the slow way. */
function slowly(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "refused";
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    value = Object.fromEntries(
      Object.entries(value).filter(([key, one]) => one !== null || !Object.hasOwn(refusedChatFields, key)),
    );
  const parsed = chatRequestSchema.safeParse(value);
  if (!parsed.success) return "refused";
  const sent = Object.fromEntries(
    Object.entries(parsed.data).filter(([, one]) => one !== null && one !== undefined),
  ) as unknown as SentChatRequest;
  return crossFieldFault(sent) === null ? plain(normaliseChat(sent)) : "refused";
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function isObject(text: string): boolean {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
