import { expect, test } from "vitest";
import { queryOf, withHistory } from "./question-query.ts";

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const long = "How long may a customer take to return a device?";

test("the user's last message is the query", () => {
  expect(queryOf([user("Hello there, my dear assistant, good day."), assistant("Hi"), user(long)])).toEqual({
    kind: "whole",
    query: long,
  });
});

test("a short one is searched for with the one before it, whatever was said between", () => {
  expect(queryOf([user(long), assistant("30 days."), user("And in Spain?")])).toEqual({
    kind: "whole",
    query: `${long}\nAnd in Spain?`,
  });
});

test("a short one that the request brings alone wants what the conversation has", () => {
  const asked = queryOf([{ role: "system", content: "Be brief." }, user("And in Spain?")]);
  expect(asked).toEqual({ kind: "wants-earlier", query: "And in Spain?" });
  expect(withHistory("And in Spain?", [user(long), assistant("30 days.")])).toBe(`${long}\nAnd in Spain?`);
  expect(withHistory("And in Spain?", [])).toBe("And in Spain?");
});

test("text parts count, pictures do not, and behind a tool's result the question is still the question", () => {
  const content = [{ type: "text", text: long }, { type: "image_url" }];
  expect(queryOf([{ role: "user", content }, assistant(""), { role: "tool", content: "42" }])).toEqual({
    kind: "whole",
    query: long,
  });
  const nothing = { kind: "wants-earlier", query: "" };
  expect(queryOf([{ role: "user", content: [{ type: "image_url" }] }])).toEqual(nothing);
  expect(queryOf([{ role: "tool", content: "42" }])).toEqual(nothing);
});

test("a tool's result that comes alone is searched for with the question that it is part of", () => {
  const history = [user(long), assistant("30 days."), user("And in Spain?"), assistant("")];
  expect(withHistory("", history)).toBe(`${long}\nAnd in Spain?`);
  expect(withHistory("", [])).toBe("");
});

test("of a message as long as a book its beginning and its end are searched for", () => {
  const asked = queryOf([user(`begin ${"x ".repeat(50_000)} end?`)]);
  if (asked.kind !== "whole") throw new Error("it is no query");
  expect(asked.query.length).toBeLessThanOrEqual(4_001);
  expect(asked.query).toMatch(/^begin .* end\?$/s);
});
