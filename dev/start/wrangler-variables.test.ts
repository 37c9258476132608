import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { root } from "../local-secrets.ts";
import { leaveVariables } from "./wrangler-variables.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-variables-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The arguments of a script with this name, as if wrangler's launcher had called it. */
function argumentsOf(script: string, variables: Readonly<Record<string, string>>): string[] {
  const file = join(folder, script);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "console.log(JSON.stringify(process.argv.slice(2)));");
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    ["--import", pathToFileURL(`${root}dev/start/wrangler-variables.ts`).href, file, "dev"],
    {
      encoding: "utf8",
      maxBuffer: 16_777_216,
      env: { ...process.env, ...leaveVariables(join(folder, "nested", "variables.json"), variables) },
    },
  );
  if (error !== undefined) throw error;
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

test("a fleet that is longer than an argument may be reaches wrangler, and its launcher does not hand it on", () => {
  const fleet = JSON.stringify({ replicas: Array.from({ length: 20_000 }, (_, at) => `it's "r${at}"`) });
  expect(fleet.length).toBeGreaterThan(131_072);
  expect(argumentsOf("wrangler-dist/cli.js", { FLEET: fleet, ROUTER: "service" })).toEqual([
    "dev",
    "--var",
    `FLEET:${fleet}`,
    "--var",
    "ROUTER:service",
  ]);
  expect(argumentsOf("bin/wrangler.js", { FLEET: fleet })).toEqual(["dev"]);
});
