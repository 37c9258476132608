import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { claimState, stateHolder } from "./state-claim.ts";

const base = mkdtempSync(join(tmpdir(), "edgewise-claim-"));

afterAll(() => {
  rmSync(base, { recursive: true });
});

const claims = fileURLToPath(new URL("state-claim.ts", import.meta.url));

/** A process that claims the folder and stays. */
async function holderOf(folder: string) {
  const script = `
    import { claimState } from ${JSON.stringify(claims)};
    await claimState(${JSON.stringify(folder)}, "npm start on port 1");
    console.log("claimed");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("a folder is one product's: the next is told whose, also by another way to the same folder", async () => {
  const folder = join(base, "one");
  const holder = await holderOf(folder);
  const said = `npm start on port 1, process ${holder.pid}`;
  expect(await stateHolder(folder)).toBe(said);
  symlinkSync(folder, join(base, "link"));
  for (const way of [folder, `${folder}/`, join(base, "link")])
    await expect(claimState(way, "npm run serve on port 2")).rejects.toThrow(
      `The state in ${way} is in use (${said}).`,
    );
  // Another folder is free.
  await claimState(join(base, "other"), "npm run serve on port 2");
  holder.kill("SIGTERM");
  await once(holder, "exit");
});

test("a claim ends with its process, however that ends", async () => {
  const folder = join(base, "killed");
  const holder = await holderOf(folder);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  expect(await stateHolder(folder)).toBeNull();
  await claimState(folder, "npm start on port 3");
  expect(await stateHolder(folder)).toBe(`npm start on port 3, process ${process.pid}`);
});

test("a folder that there is not yet is nobody's", async () => {
  expect(await stateHolder(join(base, "new", "er"))).toBeNull();
  expect(existsSync(join(base, "new"))).toBe(false);
});
