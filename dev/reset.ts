/** `npm run reset`: forgets all local state (KV, objects, caches). The local secrets stay, so tokens keep working. */
import { rmSync } from "node:fs";
import { root } from "./local-secrets.ts";

rmSync(`${root}.wrangler`, { recursive: true, force: true });
console.log("Local state is cleared.");
