import * as fc from "fast-check";
import { expect, test } from "vitest";
import { historyWindow } from "./history-window.ts";

const turns = fc.array(
  fc.array(fc.record({ role: fc.constantFrom("user", "assistant", null), size: fc.nat(60) }), {
    minLength: 1,
    maxLength: 5,
  }),
  { maxLength: 20 },
);

test("what is loaded is the newest part, within the limits, and begins where a turn begins", () => {
  fc.assert(
    fc.property(
      turns,
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 60 }),
      (turns, items, tokens) => {
        const all = turns.flatMap((turn, at) =>
          turn.map(({ role, size }) => ({ turnId: `t${at}`, role, json: "x".repeat(size) })),
        );
        const newestFirst = [...all].reverse();
        let read = 0;
        const counted = (function* () {
          for (const item of newestFirst) {
            read += 1;
            yield item;
          }
        })();
        const window = historyWindow(counted, { items, tokens });
        expect(window.items).toEqual(all.slice(all.length - window.items.length));
        expect(window.items.length).toBeLessThanOrEqual(items);
        expect(read).toBeLessThanOrEqual(items + 1);
        const bytes = window.items.reduce((sum, item) => sum + item.json.length, 0);
        if (window.items.length > 1) expect(bytes).toBeLessThanOrEqual(tokens * 8);
        expect(window.truncated).toBe(window.items.length < all.length || all.length > read);
        const [first] = window.items;
        const before = all[all.length - window.items.length - 1];
        if (first !== undefined && before !== undefined && first.turnId === before.turnId)
          expect(first.role).toBe("user");
      },
    ),
  );
});

test("a tool's result never stands without its call", () => {
  const newestFirst = [
    { turnId: "t2", role: "assistant", json: "the answer" },
    { turnId: "t2", role: "user", json: "and now?" },
    { turnId: "t1", role: "assistant", json: "it rains" },
    { turnId: "t1", role: null, json: "result" },
    { turnId: "t1", role: null, json: "call" },
    { turnId: "t1", role: "user", json: "weather?" },
  ];
  const window = historyWindow(newestFirst, { items: 4, tokens: 1000 });
  expect(window.items.map((item) => item.json)).toEqual(["and now?", "the answer"]);
});

test("a picture counts as its tokens would: two large ones leave room for what was said before them", () => {
  const said = (text: string) =>
    JSON.stringify({ type: "message", role: "user", content: [{ type: "input_text", text }] });
  const shown = (characters: number) =>
    JSON.stringify({
      type: "message",
      content: [{ type: "input_image", image_url: `data:image/png;base64,${"A".repeat(characters)}` }],
    });
  const heard = JSON.stringify({
    content: [{ type: "input_audio", input_audio: { data: "A".repeat(500_000), format: "mp3" } }],
  });
  const turnOf = (json: string, at: number) => ({ turnId: `t${at}`, role: "user", json });
  const loaded = (...jsons: readonly string[]) =>
    historyWindow(jsons.map(turnOf), { items: 100, tokens: 131_072 }).items.length;
  expect(loaded(shown(900_000), shown(900_000), heard, said("I am Ann."))).toBe(4);
  // Words about one are no picture, and memory has its bound.
  const words = said(`"image_url":"data:${"x".repeat(900_000)}"`);
  expect(loaded(words, words, said("I am Ann."))).toBe(1);
  expect(loaded(...Array.from({ length: 12 }, () => shown(900_000)))).toBe(8);
});

test("what an answer cites, which no model reads, pushes nothing out of its memory", () => {
  const citing = (annotations: readonly object[], text = "So it is [1].") =>
    JSON.stringify({
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text, annotations, logprobs: [] }],
    });
  const many = Array.from({ length: 200 }, () => ({ type: "file_citation", index: 9, filename: 'a"]},.md' }));
  const loaded = (json: string) => {
    const items = Array.from({ length: 100 }, (_, at) => ({ turnId: `t${at}`, role: "assistant", json }));
    return historyWindow(items, { items: 1000, tokens: 1_500 }).items.length;
  };
  expect(loaded(citing(many))).toBe(loaded(citing([])));
  // Words about them are words.
  const words = `"annotations":[${"x".repeat(100)}],"logprobs":`;
  expect(loaded(citing([], words))).toBeLessThan(loaded(citing([])));
});
