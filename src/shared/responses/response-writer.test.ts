import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { EngineDelta } from "../stream/engine-event.ts";
import { journalEvents } from "../turn/durable/gathered.ts";
import { gatherResponse } from "./gather-response.ts";
import { maxOutputUnits } from "./output-limits.ts";
import { replayResponse } from "./replay-response.ts";
import { ResponseWriter } from "./response-writer.ts";

/** Its function is `crm__find` to the engine. */
const crm = { type: "namespace", name: "crm", tools: [{ type: "function", name: "find" }] };

function writer(guarded = false): ResponseWriter {
  const made = new ResponseWriter({
    identity: { id: "resp_1", createdAt: 1, echo: { metadata: {}, tools: [crm] } },
    objectName: "o",
    model: "auto",
    background: false,
    guarded,
    isJson: false,
    now: () => 2000,
  });
  made.named("m");
  return made;
}

interface Said {
  readonly type: string;
  readonly sequence_number: number;
  readonly delta?: string;
  readonly item?: { readonly id: string };
  readonly response?: {
    readonly output: readonly {
      readonly content?: readonly { readonly text: string }[];
      readonly arguments?: string;
    }[];
  };
}

const said = (text: string): Said[] => journalEvents(text).map(({ data }) => JSON.parse(data) as Said);

/** Text with everything that JSON escapes, halves of surrogate pairs too: models send those. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("\ud83d", "\ude00", '"\\', "\n"),
);

const delta: fc.Arbitrary<EngineDelta> = fc.oneof(
  text.map((content) => ({ index: 0, content })),
  text.map((reasoning) => ({ index: 0, reasoning })),
  text.map((refusal) => ({ index: 0, refusal })),
  fc
    .record({ at: fc.nat(2), piece: text, name: fc.constantFrom(null, "look", "crm__find") })
    .map(({ at, piece, name }) => ({
      index: 0,
      toolCalls: [
        {
          index: at,
          ...(name === null ? {} : { id: `call_${at}` }),
          function: { ...(name === null ? {} : { name }), arguments: piece },
        },
      ],
    })),
);

const written = (
  deltas: readonly EngineDelta[],
  guarded: boolean,
): { events: string; last: ResponseWriter } => {
  const last = writer(guarded);
  const events = last.started() + deltas.map((one) => last.delta(one)).join("");
  return { events, last };
};

test("a call is told by both names of its function when its stored response is told as a stream, as it was at first", () => {
  const call = { index: 0, id: "call_1", function: { name: "crm__find", arguments: "{}" } };
  const { events, last } = written([{ index: 0, toolCalls: [call] }], false);
  const first = said(events + last.finish(0, "stop") + last.end(undefined, "stop"));
  const again = said(replayResponse(last.final ?? "null"));
  for (const type of ["response.function_call_arguments.done", "response.output_item.done"]) {
    const told = (all: Said[]) => ({ ...all.find((event) => event.type === type), sequence_number: 0 });
    expect(told(again)).toEqual(told(first));
  }
});

test("numbers follow without a gap, each item is opened and closed once, and the end holds what the deltas said", () => {
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 20 }), fc.boolean(), (deltas, guarded) => {
      const { events, last } = written(deltas, guarded);
      const all = said(events + last.finish(0, "stop") + last.end(undefined, "stop"));
      expect(all.map((event) => event.sequence_number)).toEqual(all.map((_, at) => at));
      const ids = (type: string) => all.filter((event) => event.type === type).map((event) => event.item?.id);
      const closed = ids("response.output_item.done");
      expect(closed).toHaveLength(new Set(closed).size);
      expect(new Set(closed)).toEqual(new Set(ids("response.output_item.added")));
      const texts = (all.at(-1)?.response?.output ?? []).map(
        (item) => item.arguments ?? (item.content ?? []).map((part) => part.text ?? "").join(""),
      );
      const deltasOf = all.filter(
        (event) => event.delta !== undefined && event.type !== "response.refusal.delta",
      );
      expect(texts.join("").length).toBe(deltasOf.map((event) => event.delta).join("").length);
    }),
  );
});

test("a writer made again from any beginning of a journal goes on as the first would have", () => {
  fc.assert(
    fc.property(
      fc.array(delta, { maxLength: 12 }),
      fc.array(delta, { maxLength: 4 }),
      fc.boolean(),
      (before, after, guarded) => {
        const { events, last } = written(before, guarded);
        const again = writer(guarded);
        for (const { data } of journalEvents(events)) again.restore(data);
        // A call's next pieces come from the engine that began it: nobody else goes on with one.
        const rest = after.filter((one) => one.toolCalls === undefined);
        const end = (one: ResponseWriter) => rest.map((more) => one.delta(more)).join("") + one.cancelled();
        expect(end(again)).toBe(end(last));
        expect(again.final).toBe(last.final);
      },
    ),
  );
});

test("what a journal tells of its answer is what was said", () => {
  const { events, last } = written(
    [
      { index: 0, reasoning: "hm" },
      { index: 0, content: "a" },
      { index: 0, content: "b" },
      { index: 0, toolCalls: [{ index: 0, id: "c", function: { name: "look", arguments: "{" } }] },
      { index: 0, toolCalls: [{ index: 0, function: { arguments: "}" } }] },
    ],
    false,
  );
  const [choice] = gatherResponse(journalEvents(events + last.failed("server_error", "x"))).collected.choices;
  expect(choice).toMatchObject({
    content: "ab",
    reasoning: "hm",
    toolCalls: [{ id: "c", name: "look", arguments: "{}" }],
  });
});

test("a function of a namespace is called by both of its names, and was called by one", () => {
  const find = { index: 0, id: "c", function: { name: "crm__find", arguments: "{}" } };
  const other = { index: 1, id: "d", function: { name: "crm__other", arguments: "{}" } };
  const { events, last } = written(
    [
      { index: 0, toolCalls: [find] },
      { index: 0, toolCalls: [other] },
    ],
    false,
  );
  const all = events + last.finish(0, "tool_calls") + last.end(undefined, "tool_calls");
  for (const type of ["response.output_item.added", "response.output_item.done"])
    expect(said(all).flatMap((event) => (event.type === type ? [event.item] : []))).toMatchObject([
      { name: "find", namespace: "crm" },
      { name: "crm__other" },
    ]);
  const [choice] = gatherResponse(journalEvents(all)).collected.choices;
  expect(choice).toMatchObject({ toolCalls: [{ name: "crm__find" }, { name: "crm__other" }] });
});

test("an answer is full before its events outgrow a journal's", () => {
  const full = writer();
  const literal = JSON.stringify("\u0001".repeat(1000));
  while (!full.isFull) full.content(0, literal);
  const longest = Math.max(...said(full.cancelled()).map((event) => JSON.stringify(event).length));
  expect(longest).toBeGreaterThan(maxOutputUnits);
  expect(longest).toBeLessThan(maxOutputUnits + 20_000);
});
