/**
 * The archiver: takes what the edge put into the archive's queue, and writes it to PostgreSQL (docs/archive.md). Private: no
 * route, no address. Composition root: all rules are in src/shared/archive.
 *
 * It also reads the dead letters, which come to it when the queue has given a message up: it tries once more, since the
 * database may be back, and keeps in a table what can't be written, for `npm run archive -- replay`.
 */
import { ArchiveStore } from "../../src/shared/archive/archive-store.ts";
import { type BatchDeps, consumeBatch, deleteErasedObjects } from "../../src/shared/archive/consume-batch.ts";
import type { MetricRecorder } from "../../src/shared/telemetry/metrics/metric-recorder.ts";
import { hubRecorder } from "../hub-recorder.ts";
import type { ArchiverEnv } from "./env.ts";
import { connect } from "./postgres-database.ts";

/** As the queue's name ends, in every environment. */
const deadLetters = "-dead";

/** The isolate's. */
let recorder: MetricRecorder | undefined;

export default {
  async queue(batch, env, context): Promise<void> {
    recorder ??= hubRecorder(env.METRICS_HUB, Date.now);
    const metrics = recorder;
    await withArchive(env, context, (archive) =>
      consumeBatch(batch.messages, {
        ...archive,
        poison: batch.queue.endsWith(deadLetters) ? "park" : "retry",
        report: (event, fields) => report({ event, queue: batch.queue, ...fields }),
        count: (result) => metrics.count("archiveMessages", result),
        random: Math.random,
      }),
    );
    // What fails to reach the hub is kept, and goes with the next batch.
    context.waitUntil(
      metrics.flush().catch((error: unknown) => report({ event: "archive-metrics", detail: String(error) })),
    );
  },

  /** What an erasure left in the bucket goes also where no message follows it. */
  async scheduled(_controller, env, context): Promise<void> {
    await withArchive(env, context, (archive) =>
      deleteErasedObjects({ ...archive, report: (event, fields) => report({ event, ...fields }) }),
    ).catch((error: unknown) => report({ event: "archive-database", detail: String(error) }));
  },
} satisfies ExportedHandler<ArchiverEnv>;

async function withArchive(
  env: ArchiverEnv,
  context: ExecutionContext,
  work: (archive: Pick<BatchDeps, "store" | "deleteObjects">) => Promise<void>,
): Promise<void> {
  const connection = connect(env.HYPERDRIVE.connectionString);
  const bucket = env.ARCHIVE_OBJECTS;
  try {
    await work({
      store: new ArchiveStore(connection.database),
      deleteObjects: bucket === undefined ? undefined : async (keys) => bucket.delete([...keys]),
    });
  } finally {
    context.waitUntil(
      connection.end(5).catch((error: unknown) => report({ event: "archive-end", detail: String(error) })),
    );
  }
}

function report(fields: Readonly<Record<string, string | number>>): void {
  // oxlint-disable-next-line no-console -- the one place where this Worker writes its log.
  console.error(JSON.stringify({ level: "error", worker: "archiver", ...fields }));
}
