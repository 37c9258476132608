import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/**
 * Three projects. `node`: pure rules, in milliseconds. `workers`: Workers and Durable Objects inside workerd with real
 * KV, SQLite and streams. `e2e`: the running stack over real HTTP, as a client sees it.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          // Vitest leaves one core of two idle; these rules know no clock but a fake one.
          maxWorkers: "100%",
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
          cloudflareTest({
            main: "./test/workers/entry.ts",
            wrangler: { configPath: "./test/workers/wrangler.toml" },
          }),
        ],
        test: {
          name: "workers",
          // A file's first request loads the whole Worker, which takes seconds on a busy machine.
          testTimeout: 30_000,
          include: ["durable-objects/**/*.test.ts", "workers/**/*.test.ts", "test/workers/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/setup.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 15_000 } },
        },
      },
    ],
  },
});
