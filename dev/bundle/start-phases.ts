/** What does V8 do at a bundle's start? One start of it in a process of its own (measure-start.ts). */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export interface StartPhases {
  /** Milliseconds of CPU. */
  readonly parse: number;
  readonly evaluate: number;
  /** zod schemas that were made, and those that were only promised. */
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
