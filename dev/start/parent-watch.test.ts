import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const watch = fileURLToPath(new URL("parent-watch.ts", import.meta.url));

/** Stands for npm's shell around `npm start`: starts a program, waits for it, and forwards no signal. */
const parent = `
  const { spawn } = require("node:child_process");
  spawn(process.execPath, ["--input-type=module", "-e", process.argv[1]], { stdio: ["ignore", "inherit", "inherit"] });
  setInterval(() => {}, 1000);
`;

function child(ends: "onNpmEnd" | "onParentEnd"): string {
  return `
    import { ${ends} } from ${JSON.stringify(watch)};
    ${ends}(() => { console.log("ends"); process.exit(); });
    console.log("runs " + process.pid);
    setInterval(() => {}, 1000);
  `;
}

/** The grandchild's output lines, and its end. */
async function afterTheKill(ends: "onNpmEnd" | "onParentEnd", environment: Record<string, string>) {
  const { npm_lifecycle_event: _, ...others } = process.env;
  const shell = spawn(process.execPath, ["-e", parent, child(ends)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...others, ...environment },
  });
  const lines = createInterface({ input: shell.stdout });
  const [first] = (await once(lines, "line")) as [string];
  const pid = Number(first.replace("runs ", ""));
  shell.kill("SIGKILL");
  return { lines, pid };
}

test("what npm started ends soon after the shell between them is gone", async () => {
  const { lines } = await afterTheKill("onNpmEnd", { npm_lifecycle_event: "start" });
  expect(await once(lines, "line")).toEqual(["ends"]);
});

test("what was started by hand outlives its shell", async () => {
  const { lines, pid } = await afterTheKill("onNpmEnd", {});
  // By then the watching one beside it has noticed the end of its parent.
  const other = await afterTheKill("onParentEnd", {});
  expect(await once(other.lines, "line")).toEqual(["ends"]);
  expect(process.kill(pid, "SIGKILL")).toBe(true);
  await once(lines, "close");
});
