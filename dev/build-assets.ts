/**
 * Builds what the edge Worker serves as static assets, into dist/assets: the chat page and the API reference's script.
 * wrangler runs it before every build; it does nothing where nothing changed.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { ensureLocalSecrets, root } from "./local-secrets.ts";

const assets = `${root}dist/assets`;

/** When anything below `folder` was last changed, in milliseconds since 1970. */
function newest(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs),
  );
}

async function buildPage(): Promise<void> {
  const page = `${assets}/index.html`;
  if (existsSync(page) && statSync(page).mtimeMs > newest(`${root}src/web`)) return;
  // Names carry hashes: what an older build left would be served for ever.
  rmSync(`${assets}/web`, { recursive: true, force: true });
  // React's development build is half as large again, and a NODE_ENV from outside would choose it.
  process.env["NODE_ENV"] = "production";
  const { build } = await import("vite");
  await build({ configFile: `${root}vite.config.ts`, logLevel: "warn" });
}

function copyReferenceScript(): void {
  const target = `${assets}/openapi-explorer.min.js`;
  if (existsSync(target)) return;
  copyFileSync(`${root}node_modules/openapi-explorer/dist/browser/openapi-explorer.min.js`, target);
}

ensureLocalSecrets();
mkdirSync(assets, { recursive: true });
copyReferenceScript();
await buildPage();
