import { expect, test } from "vitest";
import { fakeRequest } from "../../../test/workers/fake-replicas.ts";
import {
  readAnswer,
  readDispatch,
  readFailure,
  writeAnswer,
  writeDispatch,
  writeFailure,
} from "./envelope.ts";

const later = (text: string): string =>
  JSON.stringify({ ...(JSON.parse(text) as object), later: { deep: 1 } });

test("a dispatch arrives as it was sent, in ASCII", () => {
  const { body: _body, ...sent } = fakeRequest(["c0", "c1"], {
    place: { country: "PL", colo: "WAW", latitude: 52.2, longitude: 21 },
    affinity: { keys: [1, 2], conversationAt: 1 },
    hedge: true,
    goesOnFrom: [{ cluster: "c0", replica: "r0" }],
    tenant: "zażółć",
  });
  const text = writeDispatch({ ...sent, body: "unsaid" });
  expect(text).toMatch(/^[\x20-\x7e]*$/);
  expect(readDispatch(text)).toEqual({ ok: true, value: sent });
});

test("an answer says across the two Workers who was asked in vain before", () => {
  const answer = {
    cluster: "c0",
    replica: "r0",
    attempts: 2,
    token: "t",
    tried: "c0/r1: refused after 3 ms",
  };
  expect(readAnswer(writeAnswer(answer))).toEqual({ ok: true, value: answer });
});

// The edge and the router are deployed one after the other, and rolled back one without the other.
test("what only the newer of the two Workers says is dropped by the older, in each direction", () => {
  const request = writeDispatch(fakeRequest(["c0"], { place: { colo: "WAW" } }));
  const inPlace = request.replace('"colo":"WAW"', '"colo":"WAW","city":"Warszawa"');
  expect(inPlace).not.toBe(request);
  expect(readDispatch(later(inPlace))).toEqual(readDispatch(request));
  const answer = writeAnswer({ cluster: "c0", replica: "r0", attempts: 1, token: "t" });
  expect(readAnswer(later(answer))).toEqual(readAnswer(answer));
  const failure = writeFailure({ kind: "overloaded", retryAfterMs: 5 });
  expect(readFailure(later(failure))).toEqual({ ok: true, value: { kind: "overloaded", retryAfterMs: 5 } });
});

test.each([null, "", "{", "{}", JSON.stringify({ kind: "of-tomorrow" })])("%j is no envelope", (text) => {
  expect(readDispatch(text).ok).toBe(false);
  expect(readAnswer(text).ok).toBe(false);
  expect(readFailure(text).ok).toBe(false);
});
