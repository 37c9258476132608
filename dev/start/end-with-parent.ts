/**
 * Loaded into `wrangler dev` (`node --import`): where `npm start` was killed, and so could not end wrangler, it ends itself and
 * all of its process group, workerd included. Otherwise they would keep the port, and go on writing the state of the next start.
 */
import { isMainThread } from "node:worker_threads";
import { onParentEnd } from "./parent-watch.ts";

if (isMainThread) onParentEnd(() => process.kill(0, "SIGTERM"));
