import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isUpToDate } from "./up-to-date.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-built-"));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function written(name: string, atSeconds: number): string {
  const file = join(folder, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "");
  utimesSync(file, atSeconds, atSeconds);
  return file;
}

test("what was built is built anew when a source, or the lock file of what it is built with, is newer", () => {
  written("web/deep/page.tsx", 100);
  const sources = [join(folder, "web"), written("package-lock.json", 100)];
  const page = join(folder, "index.html");
  expect(isUpToDate(page, sources)).toBe(false);
  written("index.html", 200);
  expect(isUpToDate(page, sources)).toBe(true);
  written("package-lock.json", 300);
  expect(isUpToDate(page, sources)).toBe(false);
  written("index.html", 400);
  written("web/deep/page.tsx", 500);
  expect(isUpToDate(page, sources)).toBe(false);
});
