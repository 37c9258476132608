/**
 * Ends a process with the one that started it. `npm start` is npm, a shell and node: a SIGTERM to npm alone (from a supervisor)
 * ends the shell as well, which forwards nothing, and node would continue to serve. `exec` in package.json would replace the shell
 * by node, but shells on Windows don't have it. So node checks whether its parent still exists.
 */
const lookEveryMs = 250;

/** Calls `end` once, soon after the parent is gone. Does not keep the process alive. */
export function onParentEnd(end: () => void, parent = process.ppid): void {
  const timer = setInterval(() => {
    if (isAlive(parent)) return;
    clearInterval(timer);
    end();
  }, lookEveryMs);
  timer.unref();
}

/**
 * The same for processes started by npm. A process started by hand may outlive its shell on purpose (`nohup`, `disown`).
 */
export function onNpmEnd(end: () => void): void {
  if (process.env["npm_lifecycle_event"] !== undefined) onParentEnd(end);
}

function isAlive(parent: number): boolean {
  // An orphan gets another parent at once; on Windows it keeps the old one's id.
  if (process.ppid !== parent) return false;
  try {
    return process.kill(parent, 0);
  } catch (error) {
    // EPERM: it exists, but belongs to another user.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
