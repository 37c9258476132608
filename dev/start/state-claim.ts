/**
 * Reserves a state folder for one product at a time, so that each Durable Object exists once, as its code assumes. Two processes
 * would each apply their own limits and overwrite each other's data. The claim is a local socket, which the system closes however
 * its process ends: no claim outlives its holder, and reused process ids can't confuse it.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The time for a holder to send its description, a line of text. */
const answerWithinMs = 2000;

/**
 * Claims the folder until the process ends, and creates it if it is missing. Rejects with a sentence if another process holds it.
 * @param holder shown to processes that come later, as "npm start on port 8787"
 */
export async function claimState(folder: string, holder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const path = socketPath(folder);
  // Twice, since the first attempt may find the remains of a killed process.
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

/** False: the folder is taken. If no such socket can be created, nothing is claimed and no other process is kept out. */
function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen(path, () => resolve(true));
  });
}

/** Not in the folder: a socket's path may have about a hundred characters, and not every file system supports sockets. */
function socketPath(folder: string): string {
  const place = existsSync(folder) ? realpathSync(folder) : folder;
  const name = `edgewise-${createHash("sha256").update(place).digest("hex").slice(0, 16)}`;
  return process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}
