/** `npm run reset`: forgets all local state (KV, objects, caches). The local secrets stay, so tokens keep working. */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { asksHelp, endWith } from "./commands/command-line.ts";
import { localState, namedState, root, serveState } from "./local-secrets.ts";
import { portFrom } from "./start/ports.ts";
import { stateHolder } from "./start/state-claim.ts";

const usage = `usage: npm run reset
       Deletes all local state: below .wrangler, or what the product keeps in the folder that EDGEWISE_STATE names.
       Not beside a product that is running on that state, or on PORT (8787).`;

/** What wrangler, the archive and `npm run serve` keep. */
const kept = ["v3", "archive", "serve"];

const answerWithinMs = 10_000;

/**
 * A product that is running on these files would continue with deleted state and write parts of it again. Null: none is running on this port.
 * A server that accepts connections but does not answer may be a busy product.
 */
async function holderOf(port: number): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, {
      signal: AbortSignal.timeout(answerWithinMs),
    });
    return (await response.text()) === '{"status":"ok"}' ? `Edgewise is running on port ${port}` : null;
  } catch (error) {
    const isSilent = error instanceof Error && error.name === "TimeoutError";
    return isSilent ? `Something on port ${port} does not answer, and may be Edgewise` : null;
  }
}

async function reset(parameters: string[]): Promise<string> {
  if (asksHelp(parameters)) return usage;
  // A command that deletes must refuse unknown arguments.
  parseArgs({ args: parameters, options: {} });
  const port = portFrom("PORT", 8787);
  const product = await holderOf(port);
  if (product !== null) throw new Error(`${product}. Stop it first (Ctrl-C), then reset.`);
  for (const folder of [localState(), serveState()]) {
    const holder = await stateHolder(folder);
    if (holder !== null)
      throw new Error(`The state in ${folder} is in use (${holder}). Stop that first, then reset.`);
  }
  const named = namedState();
  // A folder chosen by the user may contain other files.
  const folders = named === undefined ? [`${root}.wrangler`] : kept.map((folder) => `${named}/${folder}`);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  return "Local state is cleared.";
}

try {
  console.log(await reset(process.argv.slice(2)));
} catch (error) {
  endWith(error, usage, [Error]);
}
