import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./local-secrets.ts";

test("nothing is deleted while something on the product's port is silent: a busy product is one that runs", async () => {
  const state = mkdtempSync(join(tmpdir(), "edgewise-reset-"));
  mkdirSync(join(state, "v3"));
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const child = spawn(process.execPath, [`${root}dev/reset.ts`], {
    env: { ...process.env, EDGEWISE_STATE: state, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  silent.close();
  expect({ code, said }).toEqual({
    code: 1,
    said: `Something on port ${port} does not answer, and may be Edgewise. Stop it first (Ctrl-C), then reset.\n`,
  });
  expect(existsSync(join(state, "v3"))).toBe(true);
  rmSync(state, { recursive: true });
});
