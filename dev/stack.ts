/** `npm run --silent stack -- dist/production/index.js.map < log`: the places of minified stacks in lines of a log, by their source. */
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { asksHelp } from "./asks-help.ts";
import { readableStack } from "./readable-stack.ts";

const usage = `usage: npm run --silent stack -- <map> < log
       <map>: of the bundle that wrote it; npm run deploy:check makes dist/production/index.js.map of this checkout`;

const parameters = process.argv.slice(2);
const [file] = parameters;
if (asksHelp(parameters)) console.log(usage);
else if (file === undefined || parameters.length > 1) {
  console.error(usage);
  process.exitCode = 1;
} else {
  const map = new SourceMap(JSON.parse(readFileSync(file, "utf8")) as SourceMapPayload);
  process.stdout.write(readableStack(readFileSync(0, "utf8"), map));
}
