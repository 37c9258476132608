/** `npm run reset`: forgets all local state (KV, objects, caches). The local secrets stay, so tokens keep working. */
import { rmSync } from "node:fs";
import { localState, root } from "./local-secrets.ts";
import { portFrom } from "./ports.ts";

/** Whoever serves from these files would go on with what is deleted, and write it again in part. */
async function isServing(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2000) });
    return (await response.text()) === '{"status":"ok"}';
  } catch {
    // Nobody listens there, or it is no Edgewise.
    return false;
  }
}

try {
  const port = portFrom("PORT", 8787);
  if (await isServing(port))
    throw new Error(`Edgewise is running on port ${port}. Stop it first (Ctrl-C), then reset.`);
  if (process.env["EDGEWISE_STATE"] === undefined)
    rmSync(`${root}.wrangler`, { recursive: true, force: true });
  // A folder that somebody named may hold other things: only what wrangler and the archive keep there goes.
  else
    for (const folder of ["v3", "archive"])
      rmSync(`${localState()}/${folder}`, { recursive: true, force: true });
  console.log("Local state is cleared.");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
