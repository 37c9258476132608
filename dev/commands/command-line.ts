/**
 * Command lines and exit codes. 0: done, or the usage was shown. 2: the command line is wrong, and nothing was done. 1: the command
 * failed.
 */
import { existsSync } from "node:fs";

export const exitCodes = { failed: 1, wrongUsage: 2 } as const;

/** The command line is wrong; the message says why, or is empty if the usage suffices. */
export class UsageError extends Error {}

/** If true, a command prints its usage and does nothing else: no error, nothing on stderr. */
export function asksHelp(parameters: readonly string[]): boolean {
  return parameters.includes("--help") || parameters.includes("-h");
}

/** Also true for errors of `parseArgs`, which throws a TypeError with a code and a readable message. */
export function isWrongUsage(error: unknown): error is Error {
  return (
    error instanceof UsageError ||
    (error instanceof TypeError && String(Reflect.get(error, "code")).startsWith("ERR_PARSE_ARGS"))
  );
}

/**
 * Prints what went wrong and sets the exit code: a sentence and the usage for a wrong command line, a sentence for expected errors,
 * the whole error for an unexpected one.
 */
export function endWith(error: unknown, usage: string, expected: readonly ErrorKind[] = []): void {
  const isWrong = isWrongUsage(error);
  if (isWrong) console.error(error.message === "" ? usage : `${error.message}\n${usage}`);
  else console.error(expected.some((kind) => error instanceof kind) ? (error as Error).message : error);
  process.exitCode = isWrong ? exitCodes.wrongUsage : exitCodes.failed;
}

type ErrorKind = abstract new (...parameters: never[]) => Error;

/**
 * For scripts that read their command line first: returns the result of `read`. If help is requested, or `read` throws for wrong usage,
 * it prints that and ends the process.
 */
export function readCommandLine<T>(usage: string, read: () => T): T {
  if (asksHelp(process.argv.slice(2))) {
    console.log(usage);
    process.exit();
  }
  try {
    return read();
  } catch (error) {
    if (!isWrongUsage(error)) throw error;
    endWith(error, usage);
    process.exit();
  }
}

/** The only argument of a script besides its options: the path of the file or folder that it reads, which must exist. */
export function existingPath([path, ...more]: readonly string[]): string {
  if (path === undefined || more.length > 0) throw new UsageError();
  if (!existsSync(path)) throw new UsageError(`${path}: is not there`);
  return path;
}

/** The value of an option that is a whole number; throws a UsageError that names the option. */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${option} ${text}: is no whole number from ${least} to ${most}`);
}
