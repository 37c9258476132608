import type { Archive } from "../../src/shared/archive/ports.ts";
import { createQueueArchive } from "../../src/shared/archive/queue-archive.ts";

/** The archive as this environment has it: on with ARCHIVE and a queue. Throws where it is on without one. For Workers and objects. */
export function archiveOf(
  env: Pick<Cloudflare.Env, "ARCHIVE" | "ARCHIVE_QUEUE" | "ARCHIVE_OBJECTS">,
): Archive {
  if (env.ARCHIVE !== "on") return createQueueArchive(undefined, undefined);
  if (env.ARCHIVE_QUEUE === undefined)
    throw new TypeError('ARCHIVE: is "on" without the binding ARCHIVE_QUEUE');
  return createQueueArchive(env.ARCHIVE_QUEUE, env.ARCHIVE_OBJECTS);
}
