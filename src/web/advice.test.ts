import { expect, test } from "vitest";
import { adviceFor, brokenOff } from "./advice.ts";

const failure = { code: null, message: "said by the server", retryAfterMs: null };

test.each([0, 400, 401, 403, 404, 413, 429, 500, 502, 503])(
  "status %i says what happened and what to do",
  (status) => {
    const notice = adviceFor({ ...failure, status }, 0);
    expect(notice.title).not.toBe("");
    expect(notice.advice).not.toBe("");
  },
);

test("a limit counts down to the server's own time", () => {
  expect(adviceFor({ ...failure, status: 429, retryAfterMs: 6500 }, 1000).untilMs).toBe(7500);
});

test("trouble of ours can be tried again, a refused message can't", () => {
  expect(adviceFor({ ...failure, status: 503 }, 0).retry).toBe(true);
  expect(adviceFor({ ...failure, status: 400 }, 0).retry).toBe(false);
});

test.each([
  ["user/requests_per_hour", 100, "Your plan has 100 messages an hour. Your message is kept."],
  [
    "org/tokens_per_minute",
    400_000,
    "Everyone in your organisation together has 400,000 tokens a minute. Your message is kept.",
  ],
  ["user/cost_per_month_usd", 5, "The limit user/cost_per_month_usd is reached. Your message is kept."],
])("the limit %s is told in words", (window, amount, words) => {
  const refused = { ...failure, status: 429, retryAfterMs: 1, limit: { window, amount } };
  expect(adviceFor(refused, 0).advice).toBe(words);
});

test("an answer that broke off offers nothing that would send an empty field", () => {
  for (const status of [0, 502]) expect(brokenOff({ ...failure, status }).retry).toBe(false);
});
