/** How an answer ends that its engine did not finish, and what is counted of it. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { base, type Chunk, contentOf, cuts, events, send } from "./answer-pass-fixture.ts";
import { AnswerPass } from "./answer-pass.ts";
import { brokenStreams, chatPieces, goodStreams } from "./fixtures/engine-streams.ts";

test("an answer that is cut off is counted exactly where the engine counts along", () => {
  const events = goodStreams.vllmChat.split("\n\n").slice(0, 5).join("\n\n") + "\n\n";
  const pass = new AnswerPass(base);
  pass.push(new TextEncoder().encode(events));
  expect(pass.finish("client-gone")).toBeUndefined();
  expect(pass.ended).toBe("client-gone");
  expect(pass.totals()).toMatchObject({
    usage: { promptTokens: 23, completionTokens: 4 },
    basis: "exact",
  });
});

test("the choices of an unfinished answer are added up", () => {
  const events = goodStreams.twoChoices.split("\n\n").slice(0, 5).join("\n\n") + "\n\n";
  const pass = new AnswerPass({ ...base, choices: 2 });
  pass.push(new TextEncoder().encode(events));
  expect(pass.totals().usage.completionTokens).toBe(3);
});

test("without the engine's counts each event with text is a token, and the prompt is estimated", () => {
  const { totals } = send(goodStreams.plainServer, []);
  expect(totals).toMatchObject({
    basis: "counted",
    usage: { promptTokens: 11, completionTokens: chatPieces.filter((piece) => piece !== "").length },
  });
});

test.each(Object.entries(brokenStreams))("%s is one error event and no [DONE]", (name, stream) => {
  fc.assert(
    fc.property(cuts, (at) => {
      const { text, pass } = send(stream, at, { choices: name.startsWith("one of two") ? 2 : 1 });
      const all = events(text);
      expect(all.filter((event) => event.startsWith('{"error"'))).toHaveLength(1);
      expect((JSON.parse(all.at(-1) ?? "{}") as Chunk).error).toMatchObject({ code: "service_unavailable" });
      expect(text).not.toMatch(/\[DONE\]|EngineDead|CUDA|10\.0\.0/);
      expect(pass.ended).toBe("origin-error");
      expect(pass.push(new TextEncoder().encode("data: {}\n\n"))).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});

test.each(["stalled", "deadline"] as const)("a stream that is %s is one error event", (cause) => {
  const pass = new AnswerPass(base);
  pass.push(new TextEncoder().encode(goodStreams.vllmChat.slice(0, 900)));
  const all = events(new TextDecoder().decode(pass.finish(cause)));
  expect(all).toHaveLength(1);
  expect(pass.ended).toBe(cause);
  expect(pass.finish(cause)).toBeUndefined();
});

test("a spent budget ends the answer with length, usage of what was delivered, and [DONE]", () => {
  const asked: number[] = [];
  const { text, pass, totals } = send(goodStreams.vllmChat, [], {
    budget: {
      pending: null,
      promptCounted: () => undefined,
      ask: (total) => {
        asked.push(total);
        return total > 3 ? "stop" : "go-on";
      },
    },
  });
  expect(contentOf(text)).toBe(chatPieces.slice(0, 3).join(""));
  expect(asked).toEqual([1, 2, 3, 4]);
  expect(pass.ended).toBe("budget-spent");
  expect(totals).toMatchObject({ usage: { completionTokens: 3 }, finishReasons: ["length"], basis: "exact" });
  expect(events(text).at(-1)).toBe("[DONE]");
});

test("a spent budget ends every choice", () => {
  const { text, totals } = send(goodStreams.twoChoices, [], {
    choices: 2,
    budget: { pending: null, promptCounted: () => undefined, ask: () => "stop" },
  });
  expect(totals.finishReasons).toEqual(["length", "length"]);
  expect(events(text).at(-1)).toBe("[DONE]");
});
