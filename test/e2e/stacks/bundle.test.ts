/**
 * What every isolate reads before its first request. Bytes are the same on every machine, so that they can be bounded where times can't;
 * `npm run bench:start` shows what they are made of and what a start takes (docs/cold-start.md).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { unstable_readConfig as readConfig } from "wrangler";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type BundleMetafile, bundleParts, packagesTwice } from "../../../dev/bundle/bundle-parts.ts";
import { bundleWorker, type WorkerBundle } from "../../../dev/serve/bundle.ts";
import { startPhases } from "../../../dev/bundle/start-phases.ts";

const kib = 1024;

/** What an isolate makes at its start: enumerations of a few words. All others are made when they are first asked for. */
const mostSchemas = 30;

/** Some tenth over what they are. Who passes one says in the commit what it is for; most things can be kept out of the start instead. */
const bounds = {
  edge: { bytes: 1850 * kib, gzip: 600 * kib },
  "origin-router": { bytes: 225 * kib, gzip: 72 * kib },
  archiver: { bytes: 160 * kib, gzip: 52 * kib },
};
type Name = keyof typeof bounds;

let folder = "";
let bundles: Readonly<Record<Name, WorkerBundle>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewise-archiver-bundle-"));
  const { edge, router } = inject("bundles");
  const archiver = await bundleWorker("workers/archiver/wrangler.toml", folder);
  bundles = { edge, "origin-router": router, archiver };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function metafileOf(name: Name): Promise<BundleMetafile> {
  return JSON.parse(await readFile(bundles[name].metafile, "utf8")) as BundleMetafile;
}

describe.each(Object.keys(bounds) as Name[])("the bundle of %s", (name) => {
  test("stays within its bounds", async () => {
    const files = await Promise.all(bundles[name].modules.map((file) => readFile(file)));
    const bytes = files.reduce((sum, file) => sum + file.length, 0);
    const gzip = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
    expect(bytes).toBeLessThanOrEqual(bounds[name].bytes);
    expect(gzip).toBeLessThanOrEqual(bounds[name].gzip);
  });

  test("makes next to no schema before its first request", async () => {
    const { schemas } = await startPhases(bundles[name].modules);
    expect(schemas).toBeLessThanOrEqual(mostSchemas);
  });

  test("holds no package twice, nothing of tests or of development, and not what belongs to commands", async () => {
    const metafile = await metafileOf(name);
    expect(packagesTwice(metafile)).toEqual([]);
    const strangers = bundleParts(metafile).filter(
      (part) => /^(?:dev|test|bench|src\/web)\b/.test(part.name) || part.name === "@cloudflare/ai-utils",
    );
    expect(strangers).toEqual([]);
  });
});

test("each is minified in production, with a source map", () => {
  for (const config of [
    "wrangler.toml",
    "workers/origin-router/wrangler.toml",
    "workers/archiver/wrangler.toml",
    "workers/document-reader/wrangler.toml",
  ]) {
    const { minify, upload_source_maps: uploadsMaps } = readConfig({ config, env: "production" });
    expect([config, minify, uploadsMaps]).toEqual([config, true, true]);
  }
});
