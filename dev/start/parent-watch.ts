/**
 * How does a process end with the one that started it? `npm start` is npm, a shell and node: whoever ends npm alone (a
 * supervisor's SIGTERM) ends the shell with it, which passes nothing on, and node would go on serving. `exec` in package.json
 * would put node in the shell's place, but no shell of Windows knows it. So node looks whether its parent is still there.
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
 * The same for what npm started. What was started by hand may outlive its shell: whoever wants that (`nohup`, `disown`) has
 * said so.
 */
export function onNpmEnd(end: () => void): void {
  if (process.env["npm_lifecycle_event"] !== undefined) onParentEnd(end);
}

function isAlive(parent: number): boolean {
  // An orphan has another parent at once; on Windows it keeps the number of the old one.
  if (process.ppid !== parent) return false;
  try {
    return process.kill(parent, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
