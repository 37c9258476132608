import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root } from "../local-secrets.ts";

const commands = [
  "sign",
  "token",
  "tenant",
  "fleet-config",
  "archive",
  "start",
  "serve",
  "reset",
  "stack",
  "openapi-tools",
  "eval-cache",
  "eval-injection",
  "eval-retrieval",
  "eval-safety",
  "train-injection",
  "train-moderation",
  "../bench/run",
  "../bench/cold-start",
  "../bench/durable",
  "../bench/conversations",
  "../bench/fleet/run",
] as const;

test.each(commands)("%s tells how it is used when it is asked, and that is no error", (command) => {
  const { status, stdout, stderr } = run(command, "--help");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^usage: (npm (run |start)|node dev\/)/);
});

test.each(commands)("%s does nothing with what it does not know, and says how it is used", (command) => {
  const { status, stdout, stderr } = run(command, "--helpp");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/(^|\n)usage: (npm (run |start)|node dev\/)/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

/** Runs a command with unknown parameters, with its own state folder. */
function run(command: string, ...parameters: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", `${root}dev/${command}.ts`, ...parameters],
    {
      encoding: "utf8",
      // A command that reads stdin must not wait for the test's own input.
      input: "",
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
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(unknown);
    expect(stderr).toMatch(/\nusage: npm (run |start)/);
    expect(stderr).not.toMatch(/\n\s+at /);
  }
  expect(readdirSync(state)).toEqual(["v3"]);
});

const noSuchFile = join(state, "no such.json");

const couldNot = 1;
const wrongUsage = 2;

test.each([
  ["tenant", ["list", "--namespace-id", "abc"], wrongUsage, "--namespace-id is for --env production"],
  ["tenant", ["put"], wrongUsage, "usage: npm run tenant"],
  ["tenant", ["show", "demo"], wrongUsage, "usage: npm run tenant"],
  ["fleet-config", ["get", "--namespace-id", "abc"], wrongUsage, "--namespace-id is for --env production"],
  ["fleet-config", ["get", "--env", "staging"], wrongUsage, "--env staging: is not production"],
  ["fleet-config", ["check", "a.json", "b.json"], wrongUsage, "usage: npm run fleet:config"],
  ["fleet-config", ["get", "production"], wrongUsage, "usage: npm run fleet:config"],
  ["fleet-config", ["check"], wrongUsage, "usage: npm run fleet:config"],
  ["fleet-config", ["check", noSuchFile], couldNot, `${noSuchFile}: ENOENT`],
  ["fleet-config", ["check", `${root}README.md`], couldNot, `${root}README.md: Unexpected token`],
  [
    "sign",
    ["--key", "k", "--url", "http://h/", "--private-key", noSuchFile],
    wrongUsage,
    "--private-key: ENOENT",
  ],
  [
    "sign",
    ["--key", "k", "--url", "http://h/", "--private-key", `${root}README.md`],
    wrongUsage,
    "is no file with the JWK",
  ],
  [
    "sign",
    ["--key", "k", "--url", "http://h/", "--secret", "EDGEWISE_SECRET", "--body", "@x"],
    wrongUsage,
    "--body: ENOENT",
  ],
  ["archive", ["list", "--tenantt", "a"], wrongUsage, "Unknown option '--tenantt'"],
  ["archive", ["list", "--limit", "many"], wrongUsage, "--limit many: is no number of turns"],
  ["archive", ["erase"], wrongUsage, "usage: npm run archive"],
  ["token", ["--platform", "--tier", "free"], wrongUsage, "--platform and --tier exclude each other"],
  [
    "token",
    ["--platform", "--ttl", "7d"],
    wrongUsage,
    "--ttl: is longer than this issuer's tokens may live, 86400 s",
  ],
  ["stack", [noSuchFile], couldNot, `${noSuchFile}: ENOENT`],
  ["stack", [`${root}package.json`], couldNot, "package.json: is no source map"],
  ["openapi-tools", [noSuchFile, "https://api.example", "list"], couldNot, `${noSuchFile}: ENOENT`],
  ["eval-cache", [noSuchFile], wrongUsage, `${noSuchFile}: is not there`],
  ["eval-safety", [noSuchFile], wrongUsage, `${noSuchFile}: is not there`],
  ["eval-retrieval", [`${root}docs`], couldNot, "holds no collection"],
  ["../bench/run", ["--rounds", "many"], wrongUsage, "--rounds many: is no whole number from 1 to 1000"],
  ["../bench/durable", ["--port", "0"], wrongUsage, "--port 0: is no whole number from 1 to 65534"],
] as const)("%s %j is told in a sentence", (command, parameters, code, says) => {
  const { status, stdout, stderr } = run(command, ...parameters);
  expect({ status, stdout }).toEqual({ status: code, stdout: "" });
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stderr).not.toContain("The archive's database");
});
