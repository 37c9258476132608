/**
 * Bodies for POST /v1/chat/completions: valid ones in all their variety, and the same broken in every way. For the
 * parser's own properties, and for tests that send thousands of them to the running stack.
 */
import * as fc from "fast-check";
import { brokenText, brokenValue } from "./broken-chat-body.ts";
import { type ValidBodyOptions, validChatBody } from "./valid-chat-body.ts";

export interface GeneratedBody {
  /** What is sent, as it is: mostly JSON. */
  readonly text: string;
  /** `valid`: the schema takes it. `broken`: something was done to it; it may happen to be valid still. */
  readonly intent: "valid" | "broken";
}

export interface BodyOptions extends ValidBodyOptions {
  /** Weight of valid bodies in ten. */
  readonly validInTen?: number;
}

export function arbitraryChatBody(options: BodyOptions): fc.Arbitrary<GeneratedBody> {
  const valid = validChatBody(options);
  const validWeight = options.validInTen ?? 5;
  return fc.oneof(
    {
      weight: validWeight,
      arbitrary: valid.map((body) => ({ text: JSON.stringify(body), intent: "valid" as const })),
    },
    {
      weight: 10 - validWeight,
      arbitrary: fc
        .oneof(
          { weight: 6, arbitrary: brokenValue(valid).map((value) => JSON.stringify(value)) },
          { weight: 2, arbitrary: brokenText(valid.map((body) => JSON.stringify(body))) },
          { weight: 1, arbitrary: fc.json() },
        )
        .map((text) => ({ text, intent: "broken" as const })),
    },
  );
}
