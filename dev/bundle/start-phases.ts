/** Measures V8's work at a bundle's start: one start in a separate process (measure-start.ts). */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export interface StartPhases {
  /** Milliseconds of CPU. */
  readonly parse: number;
  readonly evaluate: number;
  /** zod schemas that were made, and lazy ones that were not. */
  readonly schemas: number;
  readonly lazy: number;
}

/** @param modules absolute paths, the entry first */
export async function startPhases(modules: readonly string[]): Promise<StartPhases> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--experimental-vm-modules",
    "--disable-warning=ExperimentalWarning",
    join(import.meta.dirname, "measure-start.ts"),
    ...modules,
  ]);
  return JSON.parse(stdout) as StartPhases;
}
