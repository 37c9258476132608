/** How much CPU has a process used? From Linux's scheduler, in nanoseconds, all its threads. */
import { readdirSync, readFileSync } from "node:fs";

/** Nanoseconds; `null` where the system does not say (anything but Linux). */
export function cpuNanoseconds(pids: readonly number[]): number | null {
  let sum = 0;
  for (const pid of pids) {
    const folder = `/proc/${pid}/task`;
    let threads: string[];
    try {
      threads = readdirSync(folder);
    } catch {
      // No /proc here: the columns of CPU stay empty, and say so.
      return null;
    }
    for (const thread of threads) sum += threadNanoseconds(`${folder}/${thread}/schedstat`);
  }
  return sum;
}

function threadNanoseconds(file: string): number {
  try {
    return Number(readFileSync(file, "utf8").split(" ", 1)[0]);
  } catch {
    // The thread ended between the listing and the reading.
    return 0;
  }
}
