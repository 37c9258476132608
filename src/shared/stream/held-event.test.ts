import { describe, expect, test } from "vitest";
import type { AnswerBudget } from "./answer-options.ts";
import { AnswerPass } from "./answer-pass.ts";

/** A reservation of ten tokens, whose extension is decided when the test says so. */
function budgetOfTen() {
  const decided = Promise.withResolvers<void>();
  let room = 10;
  let asked = false;
  let isOpen = true;
  return {
    budget: {
      get pending() {
        return asked && isOpen ? decided.promise : null;
      },
      promptCounted: () => undefined,
      ask: (total: number) => {
        if (total > 5) asked = true;
        if (total <= room) return "go-on" as const;
        return isOpen ? ("wait" as const) : ("stop" as const);
      },
    },
    decide: (more: number): void => {
      room += more;
      isOpen = false;
      decided.resolve();
    },
  };
}

const event = (delta: object, completion: number, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "e", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }], usage: { prompt_tokens: 3, total_tokens: 3 + completion, completion_tokens: completion } })}\n\n`;
const call = { tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: '{"city":"Paris"}' } }] };
const utf8 = new TextEncoder();

function passWith(budget: AnswerBudget, choices = 1): AnswerPass {
  return new AnswerPass({
    engineApi: "chat",
    format: "openai-chat",
    id: "x",
    model: "m",
    createdMs: 0,
    choices,
    includeUsage: true,
    promptTokens: 3,
    budget,
  });
}

/** Two texts teach the pass what a plain event looks like; then one event brings eighteen tokens. */
const begin =
  event({ role: "assistant", content: "" }, 0) + event({ content: "a" }, 1) + event({ content: "b" }, 2);

describe.each([
  ["a tool call", call],
  ["a long text", { content: "word ".repeat(18) }],
])("an event of more tokens than were asked ahead for: %s", (_, delta) => {
  test("waits while there may be room for it, and is told when there is", () => {
    const { budget, decide } = budgetOfTen();
    const pass = passWith(budget);
    pass.push(utf8.encode(begin));
    expect(pass.push(utf8.encode(event(delta, 20)))).toBeUndefined();
    expect(pass.ended).toBeNull();
    expect(pass.pending).not.toBeNull();
    expect(pass.totals().usage.completionTokens).toBe(2);
    decide(100);
    const told = new TextDecoder().decode(pass.resume());
    expect(told).toContain(delta === call ? "Paris" : "word word");
    expect(pass.totals().usage.completionTokens).toBe(20);
    expect(pass.pending).toBeNull();
  });

  test("ends the answer where there is none, uncounted and untold", () => {
    const { budget, decide } = budgetOfTen();
    const pass = passWith(budget);
    pass.push(utf8.encode(begin));
    pass.push(utf8.encode(event(delta, 20)));
    decide(0);
    const told = new TextDecoder().decode(pass.resume());
    expect(told).not.toMatch(/Paris|word/);
    expect(told).toContain('"finish_reason":"length"');
    expect(pass.totals().usage.completionTokens).toBe(2);
  });
});

describe.each([
  ["seen in its bytes", (text: string) => [text]],
  ["cut in two", (text: string) => [text.slice(0, 30), text.slice(30)]],
])(
  "a plain event of eight tokens that a small reservation has no room for, and that nothing was asked ahead of, %s",
  (_, cut) => {
    function waiting() {
      const { budget, decide } = budgetOfTen();
      const pass = passWith(budget);
      pass.push(utf8.encode(begin + event({ content: "c" }, 3)));
      let told = "";
      for (const part of cut(event({ content: "eight at once" }, 11)))
        told += new TextDecoder().decode(pass.push(utf8.encode(part)));
      expect(told).toBe("");
      expect(pass.ended).toBeNull();
      expect(pass.pending).not.toBeNull();
      return { pass, decide };
    }

    test("waits for the extension that it asked for", () => {
      const { pass, decide } = waiting();
      decide(100);
      expect(new TextDecoder().decode(pass.resume())).toContain("eight at once");
      expect([pass.ended, pass.totals().usage.completionTokens]).toEqual([null, 11]);
    });

    test("ends the answer where that is refused", () => {
      const { pass, decide } = waiting();
      decide(0);
      const told = new TextDecoder().decode(pass.resume());
      expect(told).not.toContain("eight at once");
      expect(told).toContain('"finish_reason":"length"');
      expect(pass.totals().usage.completionTokens).toBe(3);
    });
  },
);

test("an event of several choices waits as a whole, and each is told once", () => {
  const { budget, decide } = budgetOfTen();
  const pass = passWith(budget, 2);
  const both = (text: string): string =>
    `data: ${JSON.stringify({ created: 1, choices: [0, 1].map((index) => ({ index, delta: { content: text } })) })}\n\n`;
  // The budget is asked only from the sixth token on; here it has room for one of the two.
  pass.push(utf8.encode(["a", "b"].map(both).join("")));
  const { ask } = budget;
  budget.ask = (total) => ask(total + 5);
  expect(pass.push(utf8.encode(both("c")))).toBeUndefined();
  expect(pass.ended).toBeNull();
  expect(pass.totals().usage.completionTokens).toBe(4);
  decide(100);
  const told = new TextDecoder().decode(pass.resume());
  expect(told.match(/"content":"c"/g)).toHaveLength(2);
  expect([pass.ended, pass.totals().usage.completionTokens]).toEqual([null, 6]);
});

test.each([
  ["twenty tokens", call, 20, "tool_calls"],
  ["eight tokens", { content: "the end" }, 11, "stop"],
])(
  "usage in a last event of %s that has to wait is not what was delivered before that event is",
  (_, delta, total, finish) => {
    const { budget, decide } = budgetOfTen();
    const pass = passWith(budget);
    pass.push(utf8.encode(begin + event({ content: "c" }, 3) + event(delta, total, finish)));
    expect(pass.pending).not.toBeNull();
    // Were the client to leave now, this is what it would pay.
    expect(pass.totals().usage.completionTokens).toBe(3);
    decide(0);
    const told = new TextDecoder().decode(pass.resume());
    expect(told).toContain('"finish_reason":"length"');
    expect(told).toContain('"completion_tokens":3');
    expect(pass.totals().usage).toMatchObject({ promptTokens: 3, completionTokens: 3 });
  },
);

describe("an engine that counts more of the prompt than was estimated and reserved", () => {
  /** Nothing is left for the answer once the prompt is counted, and nothing was asked ahead. */
  function budgetWithoutRoom() {
    const decided = Promise.withResolvers<void>();
    let state: "estimated" | "short" | "asking" | "granted" | "refused" = "estimated";
    return {
      budget: {
        get pending() {
          return state === "asking" ? decided.promise : null;
        },
        promptCounted: () => {
          if (state === "estimated") state = "short";
        },
        ask: () => {
          if (state === "short") state = "asking";
          return state === "asking"
            ? ("wait" as const)
            : state === "refused"
              ? ("stop" as const)
              : ("go-on" as const);
        },
      },
      decide: (next: "granted" | "refused"): void => {
        state = next;
        decided.resolve();
      },
    };
  }
  const [role, first, last] = [
    event({ role: "assistant", content: "" }, 0),
    event({ content: "yes" }, 1),
    event({ content: "!" }, 2, "length"),
  ];

  test.each([
    ["event by event", [role, first, last]],
    ["all at once", [role + first + last]],
    ["without an event for the role", [first, last]],
  ])("keeps its first token until there is room for it: %s", (_, reads) => {
    const { budget, decide } = budgetWithoutRoom();
    const pass = passWith(budget);
    let told = "";
    for (const read of reads) told += new TextDecoder().decode(pass.push(utf8.encode(read)));
    expect(told).not.toContain("yes");
    expect(pass.ended).toBeNull();
    expect(pass.pending).not.toBeNull();
    decide("granted");
    told += new TextDecoder().decode(pass.resume());
    told += new TextDecoder().decode(pass.push(utf8.encode("data: [DONE]\n\n")));
    expect(told).toContain("yes");
    expect(told.match(/"role":"assistant"/g)?.length ?? 0).toBeLessThanOrEqual(1);
    expect([pass.ended, pass.totals().usage.completionTokens, pass.totals().usage.promptTokens]).toEqual([
      "done",
      2,
      3,
    ]);
  });

  test("ends the answer before its first token where there is no room, too, in the end", () => {
    const { budget, decide } = budgetWithoutRoom();
    const pass = passWith(budget);
    pass.push(utf8.encode(role + first));
    decide("refused");
    const told = new TextDecoder().decode(pass.resume());
    expect(told).toContain('"finish_reason":"length"');
    expect([pass.ended, pass.totals().usage.completionTokens]).toEqual(["budget-spent", 0]);
  });
});
