/** Are the built files newer than all their sources? */
import { existsSync, readdirSync, statSync } from "node:fs";

/** @param sources files, and folders with everything in them. */
export function isUpToDate(target: string, sources: readonly string[]): boolean {
  return existsSync(target) && statSync(target).mtimeMs > Math.max(...sources.map(newest));
}

/** The time of the last change in it, in milliseconds since 1970. */
function newest(source: string): number {
  const status = statSync(source);
  if (status.isFile()) return status.mtimeMs;
  const below = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs);
  return Math.max(0, ...below);
}
