import { expect, test } from "vitest";
import { parseKeyRecord } from "./key-record.ts";

const record = {
  version: 1,
  id: "0123456789abcdef",
  environment: "live",
  hash: "h".repeat(51),
  tenant: "acme",
  org: "acme",
  user: "key-0123456789abcdef",
  name: "a key",
  tier: "pro",
  scopes: [],
  limits: { requests_per_minute: 5 },
  allow_ips: [],
  created_ms: 1,
  created_by: "jwt:acme/root",
  expires_ms: null,
  revoked_ms: null,
  rotated_from: null,
  rotated_to: null,
};

test("a record of newer code is read without what only that knows, a limit of tomorrow as well", () => {
  const newer = { ...record, later: {}, limits: { ...record.limits, requests_per_day: 1000 } };
  const read = parseKeyRecord(JSON.stringify(newer));
  expect(read).toEqual(parseKeyRecord(JSON.stringify(record)));
  expect(read).toMatchObject({ ok: true, value: { record: { limits: { requests_per_minute: 5 } } } });
});

test.each([{ hash: "short" }, { limits: { requests_per_minute: 0 } }, { tier: "of-tomorrow" }])(
  "%j makes it none",
  (change) => {
    expect(parseKeyRecord(JSON.stringify({ ...record, ...change }))).toMatchObject({ ok: false });
  },
);
