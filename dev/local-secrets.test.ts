import { afterEach, expect, test, vi } from "vitest";
import { localState, namedState, root, serveState, variablesOf } from "./local-secrets.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("a state folder of no name is none: the reset would delete of the file system's root", () => {
  vi.stubEnv("EDGEWISE_STATE", "");
  expect(namedState()).toBeUndefined();
  expect(localState()).toBe(`${root}.wrangler/state`);
  expect(serveState()).toBe(`${root}.wrangler/serve`);
});

test("a named state folder holds what wrangler keeps, and what plain workerd keeps apart from it", () => {
  vi.stubEnv("EDGEWISE_STATE", "/tmp/a state/");
  expect([localState(), serveState()]).toEqual(["/tmp/a state", "/tmp/a state/serve"]);
});

test("secrets are read as wrangler reads them: whatever quotes they have, without comments", () => {
  const text = [
    "# made by npm ci",
    'A_SECRET="double"',
    "B_SECRET='single # no comment'",
    "C_SECRET=bare # a comment",
    "export D_SECRET=exported",
    "E_SECRET=a=b==",
    "",
    'A_SECRET="later"\r',
  ].join("\n");
  expect(Object.fromEntries(variablesOf(text))).toEqual({
    A_SECRET: "later",
    B_SECRET: "single # no comment",
    C_SECRET: "bare",
    D_SECRET: "exported",
    E_SECRET: "a=b==",
  });
});
