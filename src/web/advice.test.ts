import { expect, test } from "vitest";
import { adviceFor } from "./advice.ts";

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
