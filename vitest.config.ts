import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { MeasuredParts } from "./dev/test/measured-parts.ts";
import { withoutPackageMaps } from "./dev/test/without-package-maps.ts";

/**
 * Four projects. `node`: pure rules, in milliseconds. `workers`: Workers and Durable Objects inside workerd with real
 * KV, SQLite and streams. `e2e`: the running stack over real HTTP, as a client sees it; its files share one product. `stacks`: the same for
 * files that start products of their own, and kill them.
 */
export default defineConfig({
  test: {
    // The product that ran for the end-to-end tests has processes to end, and says where one is left.
    teardownTimeout: 60_000,
    sequence: { sequencer: MeasuredParts },
    projects: [
      {
        test: {
          name: "node",
          // Vitest leaves one core of two idle; these rules know no clock but a fake one.
          maxWorkers: "100%",
          // Not how fast they are: on a busy machine some took seven times as long as on an idle one.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 25_000 } },
          include: [
            "src/shared/**/*.test.ts",
            "src/web/**/*.test.ts",
            "dev/**/*.test.ts",
            "test/node/**/*.test.ts",
            "bench/**/*.test.ts",
          ],
        },
      },
      {
        plugins: [
          withoutPackageMaps(),
          cloudflareTest({
            main: "./test/workers/entry.ts",
            wrangler: { configPath: "./test/workers/wrangler.toml" },
          }),
        ],
        test: {
          name: "workers",
          // A file's first request loads the whole Worker, which takes seconds on a busy machine. As above, and below the silence in dev/test.ts.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 25_000 } },
          include: ["durable-objects/**/*.test.ts", "workers/**/*.test.ts", "test/workers/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/*.test.ts"],
          globalSetup: ["test/e2e/setup.ts"],
          setupFiles: ["test/e2e/on-failure.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: "stacks",
          include: ["test/e2e/stacks/*.test.ts"],
          globalSetup: ["test/e2e/stacks/setup.ts"],
          setupFiles: ["test/e2e/on-failure.ts"],
          fileParallelism: false,
          // `npm start` and its end, twice, are in one test: a minute where the machine is busy.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
