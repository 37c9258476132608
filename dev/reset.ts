/** `npm run reset`: forgets all local state (KV, objects, caches). The local secrets stay, so tokens keep working. */
import { rmSync } from "node:fs";
import { localState, root } from "./local-secrets.ts";

if (process.env["EDGEWISE_STATE"] === undefined) rmSync(`${root}.wrangler`, { recursive: true, force: true });
// A folder that somebody named may hold other things: only what wrangler and the archive keep there goes.
else
  for (const folder of ["v3", "archive"])
    rmSync(`${localState()}/${folder}`, { recursive: true, force: true });
console.log("Local state is cleared.");
