/**
 * Makes the local secrets once: `.dev.vars`, which wrangler reads and git ignores. Run by `npm ci` (prepare), by
 * `npm start` and by every tool that needs a secret, so that a clone works with any first command.
 */
import { ensureLocalSecrets } from "./local-secrets.ts";

ensureLocalSecrets();
