/** What a newcomer does beside the product that he has started: pastes what it printed, and resets too early. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freePort } from "../../dev/start/free-ports.ts";
import { dataOf, logFile, url } from "./product.ts";
import { runScript } from "./stack.ts";

test("the curl line that it prints works when pasted", async () => {
  const lines = (await readFile(logFile, "utf8")).split("\n");
  const first = lines.findIndex((line) => line.startsWith("curl -N "));
  const pasted = lines.slice(first, first + 4).join("\n");
  expect(pasted).toContain("-d '");
  const { stdout } = await promisify(execFile)("bash", ["-c", `${pasted.trimEnd()} --silent`]);
  expect(dataOf(stdout).at(-1)).toBe("[DONE]");
});

test("reset clears what the product keeps and nothing else, and not under a product that is running", async () => {
  const state = await mkdtemp(join(tmpdir(), "edgewise-reset-"));
  for (const folder of ["v3/kv", "archive", "serve/edgewise-TokenBucket"])
    await mkdir(join(state, folder), { recursive: true });
  await writeFile(join(state, "mine.txt"), "kept");
  const running = await runScript(["dev/reset.ts"], { EDGEWISE_STATE: state, PORT: new URL(url).port });
  expect(running).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^Edgewise is running on port \d+\. Stop it first/),
  });
  expect((await readdir(state)).sort()).toEqual(["archive", "mine.txt", "serve", "v3"]);
  const stopped = await runScript(["dev/reset.ts"], {
    EDGEWISE_STATE: state,
    PORT: String(await freePort()),
  });
  expect(stopped).toEqual({ code: 0, output: "Local state is cleared.\n" });
  expect(await readdir(state)).toEqual(["mine.txt"]);
  await rm(state, { recursive: true });
});
