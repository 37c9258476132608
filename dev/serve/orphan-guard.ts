/**
 * Ends workerd if the process that started it was killed; otherwise it would keep the port and write into the state of the next start. workerd
 * does not watch its parent, and an intermediate process would hide its id and its end. So a shell beside it reads a pipe that only this
 * process holds open: the system closes it however this process ends.
 */
import { spawn } from "node:child_process";

export interface OrphanGuard {
  /** The guarded process has ended: the guard exits without touching any process. */
  release(): void;
}

/** `read` fails if the pipe is closed before a line. Then the process gets SIGTERM and later SIGKILL, as in `stop`. */
const script = `read -r line && exit
kill -TERM "$1" || exit
for second in 1 2 3; do sleep 1; kill -0 "$1" || exit; done
kill -KILL "$1"`;

/** @param pid of the process that must not outlive this one */
export function guardOrphan(pid: number): OrphanGuard {
  // Windows has no such shell: there workerd survives a kill of this process. (Never run there.)
  if (process.platform === "win32") return { release: () => undefined };
  // In its own group, so that a signal to this process's group (Ctrl-C) does not end the guard too early.
  const shell = spawn("sh", ["-c", script, "sh", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const gone = (error: Error): void => console.error(`Nobody watches process ${pid}: ${error.message}`);
  shell.on("error", gone);
  shell.stdin.on("error", gone);
  shell.unref();
  return { release: () => shell.stdin.end("\n") };
}
