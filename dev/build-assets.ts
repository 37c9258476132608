/**
 * Builds what the edge Worker serves as static assets, into dist/assets: the chat page and the API reference's script.
 * wrangler runs it before every build; it does nothing where nothing changed.
 */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { ensureLocalSecrets, root } from "./local-secrets.ts";
import { isUpToDate } from "./up-to-date.ts";

const assets = `${root}dist/assets`;

/** Which React, which `marked`: what is built with another one is another page. */
const lock = `${root}package-lock.json`;

async function buildPage(): Promise<void> {
  const page = `${assets}/index.html`;
  if (isUpToDate(page, [`${root}src/web`, `${root}vite.config.ts`, lock])) return;
  // Names carry hashes: what an older build left would be served for ever.
  rmSync(`${assets}/web`, { recursive: true, force: true });
  // React's development build is half as large again, and a NODE_ENV from outside would choose it.
  process.env["NODE_ENV"] = "production";
  const { build } = await import("vite");
  await build({ configFile: `${root}vite.config.ts`, logLevel: "warn" });
}

function copyReferenceScript(): void {
  const target = `${assets}/openapi-explorer.min.js`;
  if (isUpToDate(target, [lock])) return;
  copyFileSync(`${root}node_modules/openapi-explorer/dist/browser/openapi-explorer.min.js`, target);
}

ensureLocalSecrets();
mkdirSync(assets, { recursive: true });
copyReferenceScript();
await buildPage();
