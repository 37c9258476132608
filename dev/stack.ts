/** `npm run --silent stack -- dist/production/index.js.map < log`: replaces places of minified stacks in log lines by places in the source. */
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { asksHelp, endWith, UsageError } from "./commands/command-line.ts";
import { DocumentError, readDocument } from "./commands/read-document.ts";
import { readableStack } from "./bundle/readable-stack.ts";

const usage = `usage: npm run --silent stack -- <map> < log
       <map>: of the bundle that wrote it; npm run deploy:check makes dist/production/index.js.map of this checkout`;

function answer([file, ...more]: readonly string[]): string {
  if (file === undefined || file.startsWith("--") || more.length > 0) throw new UsageError();
  const map = JSON.parse(readDocument(file)) as Partial<SourceMapPayload> | null;
  if (typeof map?.mappings !== "string") throw new DocumentError(`${file}: is no source map`);
  return readableStack(readFileSync(0, "utf8"), new SourceMap(map as SourceMapPayload));
}

const parameters = process.argv.slice(2);
try {
  process.stdout.write(asksHelp(parameters) ? `${usage}\n` : answer(parameters));
} catch (error) {
  endWith(error, usage, [DocumentError]);
}
