import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AnswerCollector } from "./answer-collector.ts";
import { contentOf, send } from "./answer-pass-fixture.ts";
import type { TextFilter } from "./text-filter.ts";

const head =
  'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":';

function streamOf(pieces: readonly string[]): string {
  const events = pieces.map(
    (piece) => `${head}{"content":${JSON.stringify(piece)}},"logprobs":null,"finish_reason":null}]}\n\n`,
  );
  return `${events.join("")}${head}{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
}

/** Where the events of a stream of ASCII end, but for those that are read together with the next one. */
function endsOf(stream: string, isAlone: (event: number) => boolean): number[] {
  return Array.from(stream.matchAll(/\n\n/g), ({ index }) => index + 2).filter((_, event) => isAlone(event));
}

/** Gives in the place of each piece what the list says, and behind them all what is left. */
function replacing(pieces: readonly string[], stopAt: number): TextFilter {
  let at = 0;
  return {
    push: () => (at === stopAt ? null : (pieces[at++] ?? "")),
    held: () => 0,
    flush: () => pieces.slice(at).join(""),
  };
}

const plain = fc.stringMatching(/^[ !#-[\]-~]{0,40}$/);
const anyText = fc.oneof(
  { weight: 4, arbitrary: plain },
  fc.string({ unit: "grapheme" }),
  { weight: 2, arbitrary: fc.constantFrom("", '"', "\\", "\n", "\u007f", "é", "\ud83d") },
  fc.constant("a".repeat(70_000)),
);

test("what a guard makes of a text is told the same, whether its event came whole, with others, or in single bytes", () => {
  const made = fc.array(fc.record({ said: plain, told: anyText }), { minLength: 3, maxLength: 12 });
  fc.assert(
    fc.property(made, fc.nat(40), fc.infiniteStream(fc.boolean()), (pieces, stopAt, alone) => {
      const stream = streamOf(pieces.map(({ said }) => said));
      const tell = (ends: readonly number[]) => {
        const collect = new AnswerCollector(1_000_000, false);
        const filter = replacing(
          pieces.map(({ told }) => told),
          stopAt,
        );
        const { text, totals } = send(stream, ends, { filter, collect });
        return { text, totals, choices: collect.choices };
      };
      const single = tell(Array.from({ length: stream.length }, (_, end) => end));
      expect(tell(endsOf(stream, () => true))).toEqual(single);
      expect(tell(endsOf(stream, () => alone.next().value === true))).toEqual(single);
    }),
    { numRuns: 60 },
  );
});

test("a guard's own characters are escaped, and none of them breaks an event", () => {
  fc.assert(
    fc.property(fc.array(anyText, { minLength: 3 }), (told) => {
      const stream = streamOf(told.map(() => "word"));
      const { text } = send(
        stream,
        endsOf(stream, () => true),
        { filter: replacing(told, -1) },
      );
      expect(contentOf(text)).toBe(told.join(""));
    }),
  );
});
