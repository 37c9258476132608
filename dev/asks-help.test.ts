import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root } from "./local-secrets.ts";

test.each(["sign", "token", "tenant", "fleet-config", "archive", "start", "serve", "reset"])(
  "%s tells how it is used when it is asked, and that is no error",
  (command) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}dev/${command}.ts`, "--help"], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^usage: npm (run |start)/);
  },
);

/** Commands that were given what they do not know, on a state of their own. */
function run(command: string, ...parameters: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${root}dev/${command}.ts`, ...parameters],
    {
      encoding: "utf8",
      env: { ...process.env, EDGEWISE_STATE: state, PORT: "1" },
    },
  );
  return { status, stdout, stderr };
}

const state = mkdtempSync(join(tmpdir(), "edgewise-state-"));

afterAll(() => {
  rmSync(state, { recursive: true });
});

test.each(["start", "serve", "reset"])("%s does nothing with what it does not know", (command) => {
  mkdirSync(join(state, "v3"), { recursive: true });
  for (const unknown of ["--helpp", "v3"]) {
    const { status, stdout, stderr } = run(command, unknown);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain(unknown);
    expect(stderr).toMatch(/\nusage: npm (run |start)/);
    expect(stderr).not.toMatch(/\n\s+at /);
  }
  expect(readdirSync(state)).toEqual(["v3"]);
});

const noSuchFile = join(state, "no such.json");

test.each([
  ["tenant", ["list", "--namespace-id", "abc"], "--namespace-id is for --env production"],
  ["fleet-config", ["get", "--namespace-id", "abc"], "--namespace-id is for --env production"],
  ["fleet-config", ["get", "--env", "staging"], "--env staging: is not production"],
  ["fleet-config", ["check", "a.json", "b.json"], "usage: npm run fleet:config"],
  ["fleet-config", ["get", "production"], "usage: npm run fleet:config"],
  ["fleet-config", ["check"], "usage: npm run fleet:config"],
  ["fleet-config", ["check", noSuchFile], `${noSuchFile}: ENOENT`],
  ["fleet-config", ["check", `${root}README.md`], `${root}README.md: Unexpected token`],
  ["sign", ["--key", "k", "--url", "http://h/", "--private-key", noSuchFile], "--private-key: ENOENT"],
  [
    "sign",
    ["--key", "k", "--url", "http://h/", "--private-key", `${root}README.md`],
    "is no file with the JWK",
  ],
  [
    "sign",
    ["--key", "k", "--url", "http://h/", "--secret", "EDGEWISE_SECRET", "--body", "@x"],
    "--body: ENOENT",
  ],
  ["archive", ["list", "--tenantt", "a"], "Unknown option '--tenantt'"],
  ["token", ["--platform", "--tier", "free"], "--platform and --tier exclude each other"],
  ["token", ["--platform", "--ttl", "7d"], "--ttl: is longer than this issuer's tokens may live, 86400 s"],
] as const)("%s %j is told in a sentence", (command, parameters, says) => {
  const { status, stdout, stderr } = run(command, ...parameters);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stderr).not.toContain("The archive's database");
});
