import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { fleetSchema } from "../../src/shared/routing/fleet/fleet-config.ts";
import document from "../../config/fleet.dev.json" with { type: "json" };
import { wranglerDevCommand } from "./wrangler-dev.ts";

test("wrangler dev knows the usual ports by itself, and is told of others by a file", () => {
  const root = `${mkdtempSync(`${tmpdir()}/edgewise-`)}/`;
  try {
    expect(wranglerDevCommand(fleetSchema.parse(document), root)).toBeNull();
    const moved = JSON.stringify(document).replaceAll("127.0.0.1:91", "127.0.0.1:92");
    const command = wranglerDevCommand(fleetSchema.parse(JSON.parse(moved)), root);
    expect(command).toBe('npx wrangler dev --var "FLEET:$(cat .wrangler/edgewise/dev-fleet-9201.json)"');
    const written = readFileSync(`${root}.wrangler/edgewise/dev-fleet-9201.json`, "utf8");
    expect(fleetSchema.parse(JSON.parse(written)).clusters[0]?.replicas[0]?.url).toBe(
      "http://127.0.0.1:9201",
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});
