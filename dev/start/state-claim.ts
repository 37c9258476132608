/**
 * Who works in a state folder? One product at a time: each Durable Object is then one object, as its code takes for granted. Two
 * processes would each admit against limits of their own and write over the other's. Held by a local socket, which the system
 * closes however its process ends: no claim outlives its holder, and no number of a process is taken for another's.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Of whoever claims a folder to say who he is; it is a line of text. */
const answerWithinMs = 2000;

/**
 * Claims the folder, which is made where it is missing, until the process ends. Rejects with a sentence where another holds it.
 * @param holder shown to processes that come later, as "npm start on port 8787"
 */
export async function claimState(folder: string, holder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const path = socketPath(folder);
  // Twice: the first may find what a killed process left.
  for (let tries = 1; tries <= 2; tries += 1) {
    const server = createServer((socket) => socket.end(`${holder}, process ${process.pid}`));
    if (await listens(server, path)) {
      server.unref();
      process.once("exit", () => rmSync(path, { force: true }));
      return;
    }
    const other = await stateHolder(folder);
    if (other !== null)
      throw new Error(
        `The state in ${folder} is in use (${other}). Stop that first, or name another folder: EDGEWISE_STATE=/some/folder`,
      );
    rmSync(path, { force: true });
  }
  throw new Error(`The state in ${folder} can't be claimed: something else is at ${path}.`);
}

/** The holder's own description; null: the folder is free. */
export function stateHolder(folder: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(folder));
    let said = "";
    socket.setEncoding("utf8");
    socket.setTimeout(answerWithinMs, () => socket.destroy());
    socket.on("data", (text: string) => (said += text));
    // Nothing listens there (any more).
    socket.once("error", () => resolve(null));
    socket.once("connect", () =>
      socket.once("close", () => resolve(said || "by a process that does not answer")),
    );
  });
}

/** False: the folder is taken. If such a socket can't be made, nothing is claimed and no process is kept out. */
function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen(path, () => resolve(true));
  });
}

/** Not in the folder: a socket's path may have a hundred characters, and not every file system takes one. */
function socketPath(folder: string): string {
  const place = existsSync(folder) ? realpathSync(folder) : folder;
  const name = `edgewise-${createHash("sha256").update(place).digest("hex").slice(0, 16)}`;
  return process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}
