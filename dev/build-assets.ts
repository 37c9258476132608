/**
 * Builds the edge Worker's static assets into dist/assets: the chat page and the API reference's script. wrangler runs it
 * before every build; it does nothing if nothing has changed.
 */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { ensureLocalSecrets, root } from "./local-secrets.ts";
import { isUpToDate } from "./up-to-date.ts";

const assets = `${root}dist/assets`;

/** Other versions of React or `marked` mean another page. */
const lock = `${root}package-lock.json`;

async function buildPage(): Promise<void> {
  const page = `${assets}/index.html`;
  if (isUpToDate(page, [`${root}src/web`, `${root}vite.config.ts`, lock])) return;
  // File names contain hashes, so files of older builds would be served for ever.
  rmSync(`${assets}/web`, { recursive: true, force: true });
  // A NODE_ENV from outside could choose React's development build, which is half as large again.
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
