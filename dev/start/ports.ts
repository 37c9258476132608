/** Checks that ports are free before anything starts, so that a taken one gives a sentence and not a stack trace. */
import { createServer } from "node:net";

export interface WantedPort {
  readonly port: number;
  readonly variable: string;
}

/**
 * Resolves when every port of 127.0.0.1 can be listened on; rejects with a message that says what to set.
 * @param command the command that the user typed, for the message
 */
export async function demandFreePorts(wanted: readonly WantedPort[], command: string): Promise<void> {
  for (const { port, variable } of wanted) {
    const code = await faultOf(port);
    if (code === null) continue;
    const other = `${variable}=${otherPort(port, code)} ${command}`;
    throw new Error(
      code === "EACCES"
        ? `Port ${port} may not be opened by this user. Choose another: ${other}`
        : `Port ${port} is taken. Stop what listens there, or choose another: ${other}`,
    );
  }
}

/** The system's error code if it can't be listened on; null: it can. */
function faultOf(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(null)));
  });
}

const lastPort = 65_535;
/** Most systems reserve lower ports for administrators. */
const firstForAll = 1024;

function otherPort(port: number, code: string): number {
  if (code === "EACCES" && port < firstForAll) return port + 8000;
  return port + 100 > lastPort ? port - 100 : port + 100;
}

/** A port from the environment, or its default; anything that is not a port is refused by name. */
export function portFrom(variable: string, byDefault: number): number {
  const text = process.env[variable];
  if (text === undefined || text === "") return byDefault;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > lastPort) throw new Error(`${variable}=${text} is not a port (1 to 65535).`);
  return port;
}
