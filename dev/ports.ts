/** Is a port free? Asked before anything starts, so that a taken one is a sentence and not a stack. */
import { createServer } from "node:net";

/** Resolves when every port of 127.0.0.1 can be listened on; rejects with a message that says what to set. */
export async function demandFreePorts(
  wanted: readonly { readonly port: number; readonly variable: string }[],
): Promise<void> {
  for (const { port, variable } of wanted) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (!free)
      throw new Error(
        `Port ${port} is taken. Stop what listens there, or choose another: ${variable}=${port + 100} npm start`,
      );
  }
}

/** A port from the environment, or its default; anything that is not a port is refused by name. */
export function portFrom(variable: string, byDefault: number): number {
  const text = process.env[variable];
  if (text === undefined || text === "") return byDefault;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`${variable}=${text} is not a port (1 to 65535).`);
  return port;
}
