/**
 * How is workerd ended when the process that started it was killed? Otherwise it would keep the port, and go on writing the state of the
 * next start. workerd knows nothing of its parent, and a process of ours between the two would hide its id and its end. So a shell stands
 * beside it and reads a pipe that only this process holds open: the system closes it however this process ends.
 */
import { spawn } from "node:child_process";

export interface OrphanGuard {
  /** Its charge has ended: the guard goes, and touches no process. */
  release(): void;
}

/** `read` fails where the pipe is closed before a line came. Asked politely, then insisted upon, as `stop` does. */
const script = `read -r line && exit
kill -TERM "$1" || exit
for second in 1 2 3; do sleep 1; kill -0 "$1" || exit; done
kill -KILL "$1"`;

/** @param pid of the process that must not outlive this one */
export function guardOrphan(pid: number): OrphanGuard {
  // There is no such shell on Windows, where a kill of this process leaves the other behind. (Never run there.)
  if (process.platform === "win32") return { release: () => undefined };
  // Of a group of its own: what ends this process's group (Ctrl-C) must not end the guard before its time.
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
