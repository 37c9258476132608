/**
 * Loaded into `wrangler dev` (`node --import`). If `npm start` was killed and so could not end wrangler, this ends wrangler with its
 * process group, including workerd. Otherwise they would keep the port and write into the state of the next start.
 */
import { isMainThread } from "node:worker_threads";
import { onParentEnd } from "./parent-watch.ts";

if (isMainThread) onParentEnd(() => process.kill(0, "SIGTERM"));
