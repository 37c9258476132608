import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Grounding } from "../grounding/ground.ts";
import { journalEvents } from "../turn/durable/gathered.ts";
import { gatherResponse } from "./gather-response.ts";
import { maxAnnotationUnits, maxOutputUnits, mostAnnotations } from "./output-limits.ts";
import { ResponseWriter } from "./response-writer.ts";

const grounding: Grounding = {
  queries: ["What colour is the sky?"],
  passages: ["The sky is blue.", "Grass is green."].map((text, ordinal) => ({
    fileId: `file-${ordinal}`,
    filename: `${ordinal}.md`,
    attributes: { about: "nature" },
    ordinal,
    text,
    start: 0,
    end: text.length,
    score: 0.5,
  })),
  fault: null,
};

function writer(showsResults = false, guarded = false, isJson = false): ResponseWriter {
  return new ResponseWriter({
    identity: { id: "resp_1", createdAt: 1, echo: {} },
    objectName: "o",
    model: "m",
    background: false,
    guarded,
    showsResults,
    isJson,
    now: () => 2000,
  });
}

interface Said {
  readonly type: string;
  readonly item?: object;
  readonly annotation?: object;
  readonly response?: { readonly output: readonly object[] };
}

const said = (text: string): Said[] => journalEvents(text).map(({ data }) => JSON.parse(data) as Said);

/** The answer in pieces, from its beginning to its end. */
function told(made: ResponseWriter, pieces: readonly string[], found = grounding): Said[] {
  const begun = made.started() + made.searched(found);
  const text = pieces.map((piece) => made.content(0, JSON.stringify(piece))).join("");
  return said(begun + text + made.finish(0, "stop") + made.end(undefined, "stop"));
}

test("the search comes first, from its beginning to its end, and then the answer with its annotations", () => {
  const all = told(writer(), ["Blue [", "1].", " Green [2]", "."]);
  expect(all.map(({ type }) => type.replace("response.", ""))).toEqual([
    "created",
    "in_progress",
    "output_item.added",
    "file_search_call.in_progress",
    "file_search_call.searching",
    "file_search_call.completed",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "output_text.annotation.added",
    "output_text.delta",
    "output_text.annotation.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "completed",
  ]);
  const annotations = [
    { type: "file_citation", index: 5, file_id: "file-0", filename: "0.md" },
    { type: "file_citation", index: 16, file_id: "file-1", filename: "1.md" },
  ];
  expect(all.filter(({ annotation }) => annotation !== undefined)).toMatchObject(
    annotations.map((annotation, at) => ({
      item_id: "msg_oo1",
      output_index: 1,
      annotation_index: at,
      annotation,
    })),
  );
  expect(all.at(-1)?.response?.output).toEqual([
    {
      id: "fs_oo0",
      type: "file_search_call",
      status: "completed",
      queries: grounding.queries,
      results: null,
    },
    expect.objectContaining({
      id: "msg_oo1",
      content: [{ type: "output_text", text: "Blue [1]. Green [2].", annotations, logprobs: [] }],
    }),
  ]);
});

test("what was found is told to whoever asks for it", () => {
  const [search] = told(writer(true), ["Hi"]).at(-1)?.response?.output ?? [];
  expect(search).toMatchObject({
    results: [
      {
        file_id: "file-0",
        filename: "0.md",
        attributes: { about: "nature" },
        score: 0.5,
        text: "The sky is blue.",
      },
      { file_id: "file-1" },
    ],
  });
});

test("what a search did without stands in its item, which is completed all the same", () => {
  const all = told(writer(), ["Hi [1]"], { ...grounding, lacking: ["vectors"] });
  expect(all.at(-1)?.response?.output[0]).toMatchObject({ status: "completed", lacking: ["vectors"] });
  expect(told(writer(), ["Hi [1]"]).at(-1)?.response?.output[0]).not.toHaveProperty("lacking");
});

describe("a search that was not whole", () => {
  test.each([
    ["late", grounding.passages, "incomplete"],
    ["late", [], "failed"],
    ["unreachable", [], "failed"],
  ] as const)("%s, with %j: it is %s, and never said to be completed", (fault, passages, status) => {
    const all = told(writer(), ["Hi [1]"], { ...grounding, passages, fault });
    expect(all.at(-1)?.response?.output[0]).toMatchObject({ status });
    expect(all.map(({ type }) => type)).not.toContain("response.file_search_call.completed");
  });
});

const piece = fc.oneof(
  fc.constantFrom("[", "1", "]", "[1]", "[2]", "[3]", "[1, 2]", "`", "\n", " "),
  fc.string({ unit: "binary", maxLength: 4 }),
);

test("an annotation's index is where its mark stands in the text, however the text came", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.boolean(), (pieces, guarded) => {
      const all = told(writer(false, guarded), pieces);
      const [, message] = (all.at(-1)?.response?.output ?? []) as {
        content: { text: string; annotations: { index: number; file_id: string }[] }[];
      }[];
      const part = message?.content[0];
      for (const { index, file_id } of part?.annotations ?? []) {
        const mark = /^\[[\d, ]+\]/.exec(part?.text.slice(index) ?? "")?.[0] ?? "";
        expect(mark.match(/\d+/g)).toContain(String(Number(file_id.slice("file-".length)) + 1));
      }
      const whole = told(writer(false, guarded), [pieces.join("")]);
      expect(all.at(-1)?.response).toEqual(
        pieces.join("") === "" ? expect.anything() : whole.at(-1)?.response,
      );
    }),
  );
});

test("a writer made again from any beginning of a journal cites as the first would have", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(piece, { maxLength: 6 }),
      fc.boolean(),
      fc.boolean(),
      (before, after, guarded, showsResults) => {
        const first = writer(showsResults, guarded);
        const events =
          first.started() +
          first.searched(grounding) +
          before.map((one) => first.content(0, JSON.stringify(one))).join("");
        const again = writer(showsResults, guarded);
        again.grounded(grounding);
        for (const { data } of journalEvents(events)) again.restore(data);
        const end = (one: ResponseWriter) =>
          after.map((more) => one.content(0, JSON.stringify(more))).join("") + one.cancelled();
        expect(end(again)).toBe(end(first));
        expect(again.final).toBe(first.final);
      },
    ),
  );
});

test("a journal that ends behind the search holds no answer, and no end of one", () => {
  const made = writer();
  const { collected } = gatherResponse(journalEvents(made.started() + made.searched(grounding)));
  expect(collected.choices).toEqual([]);
});

test("an answer that repeats its marks for ever is annotated so often, and is full in time", () => {
  const made = writer();
  const begun = made.started() + made.searched(grounding);
  let text = begun;
  for (let at = 0; at < 10; at += 1) text += made.content(0, JSON.stringify("[1]".repeat(100)));
  const added = said(text).filter(({ annotation }) => annotation !== undefined);
  expect(added).toHaveLength(mostAnnotations);
  const large = {
    ...grounding,
    passages: grounding.passages.map((one) => ({ ...one, text: "x".repeat(45_000) })),
  };
  const full = writer(true);
  let events = full.started() + full.searched(large);
  while (!full.isFull) events += full.content(0, JSON.stringify("[2]".repeat(300)));
  const longest = Math.max(...said(events + full.cancelled()).map((event) => JSON.stringify(event).length));
  expect(longest).toBeLessThan(maxOutputUnits + 20_000);
});

test("a writer made again from a journal that breaks off anywhere says what is missing, and has the same in the end", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 12 }),
      fc.nat(60),
      fc.boolean(),
      (pieces, cut, web) => {
        const sources = web ? [{ url: "https://c.example/", title: "C" }] : [];
        const first = writer();
        first.sources = sources;
        const begun = first.started() + first.searched(grounding);
        const text = pieces.map((one) => first.content(0, JSON.stringify(one))).join("");
        const events = journalEvents(begun + text);
        first.cancelled();
        const kept = events.slice(0, Math.max(journalEvents(begun).length, cut));
        const again = writer();
        again.sources = sources;
        again.grounded(grounding);
        for (const { data } of kept) again.restore(data);
        const heard = kept.filter(({ data }) => data.includes("output_text.delta")).length;
        const spoken = pieces.filter((one) => one !== "");
        for (const one of spoken.slice(heard)) again.content(0, JSON.stringify(one));
        again.cancelled();
        expect(again.final).toBe(first.final);
      },
    ),
  );
});

test("what is found later is no source of what was said before, also for a writer that is made again", () => {
  const first = writer();
  let events = first.started() + first.content(0, '"See [1]."') + first.finish(0, "tool_calls");
  const call = first.openServerCall({
    type: "web_search_call",
    name: "web_search",
    arguments: '{"query":"q"}',
  });
  const sources = [{ url: "https://c.example/", title: "C" }];
  first.sources = sources;
  events += call.said + first.closeServerCall(call.id, { status: "completed", output: "", error: null });
  events += first.content(0, '"So it is [1]."');
  first.cancelled();
  const again = writer();
  again.sources = sources;
  for (const { data } of journalEvents(events)) again.restore(data);
  again.cancelled();
  expect(again.final).toBe(first.final);
  const { output } = JSON.parse(first.final ?? "null") as {
    output: { content?: { annotations: object[] }[] }[];
  };
  expect(output.map(({ content }) => content?.[0]?.annotations.length)).toEqual([0, undefined, 1]);
});

test("an answer in JSON cites by what its strings say, not by its lists of numbers", () => {
  const all = told(writer(false, false, true), ['{"pages":[1, ', '2],"why":"Blue [1]."}']);
  const annotations = all.flatMap(({ annotation }) => annotation ?? []);
  expect(annotations).toEqual([{ type: "file_citation", index: 28, file_id: "file-0", filename: "0.md" }]);
});

test("what is cited of the web is bounded with the answer: its last event has room for all of it", () => {
  const made = writer();
  made.sources = [{ url: `https://c.example/${"x".repeat(2_020)}`, title: "t".repeat(300) }];
  let events = made.started();
  let words = 0;
  for (; !made.isFull; words += 40) events += made.content(0, JSON.stringify(`${"word ".repeat(40)}[1]`));
  // No answer is cut short for its addresses.
  expect(words * 5).toBeGreaterThan(maxOutputUnits - maxAnnotationUnits - 10_000);
  const longest = Math.max(...said(events + made.cancelled()).map((event) => JSON.stringify(event).length));
  expect(longest).toBeLessThan(maxOutputUnits + 20_000);
});
