import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "./local-secrets.ts";

test.each(["sign", "token", "tenant", "fleet-config", "archive"])(
  "%s tells how it is used when it is asked, and that is no error",
  (command) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}dev/${command}.ts`, "--help"], {
      encoding: "utf8",
    });
    expect({ status, stderr, usage: stdout.slice(0, 15) }).toEqual({
      status: 0,
      stderr: "",
      usage: "usage: npm run ",
    });
  },
);
