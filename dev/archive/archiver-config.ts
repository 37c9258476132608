/** The archiver beside `wrangler dev`: its own configuration with the local database, as workers/archiver/wrangler.toml has it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { root } from "../local-secrets.ts";

/** @returns the file. One for each port: wrangler watches it, and a second `npm start` has another database. */
export function archiverConfig(databaseUrl: string, port: number): string {
  const folder = `${root}.wrangler/edgewise`;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/archiver-${port}.json`;
  writeFileSync(
    file,
    JSON.stringify({
      name: "edgewise-archiver",
      main: "../../workers/archiver/index.ts",
      compatibility_date: "2026-10-15",
      compatibility_flags: ["nodejs_compat"],
      send_metrics: false,
      hyperdrive: [
        {
          binding: "HYPERDRIVE",
          id: "00000000000000000000000000000000",
          localConnectionString: databaseUrl,
        },
      ],
      durable_objects: {
        bindings: [{ name: "METRICS_HUB", class_name: "MetricsHub", script_name: "edgewise" }],
      },
      r2_buckets: [{ binding: "ARCHIVE_OBJECTS", bucket_name: "edgewise-archive" }],
      queues: {
        consumers: [
          {
            queue: "edgewise-archive",
            max_batch_size: 100,
            max_batch_timeout: 1,
            max_retries: 10,
            dead_letter_queue: "edgewise-archive-dead",
          },
          { queue: "edgewise-archive-dead", max_batch_size: 10, max_batch_timeout: 1, max_retries: 100 },
        ],
      },
    }),
    // It may contain a password.
    { mode: 0o600 },
  );
  return file;
}
