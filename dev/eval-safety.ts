/**
 * How well does the in-process moderation find harm, and how often does it cry wolf? `npm run eval:safety -- ../shared/data/safety`.
 *
 * What the shipped weights were trained on is judged out of fold: by models that saw neither a text nor, under `template`, another copy of its
 * template. `row` is what another part of the same sets should give. Benign texts that no model saw are judged by the shipped weights.
 */
import { parseArgs } from "node:util";
import { existingPath, readCommandLine } from "./commands/command-line.ts";
import { moderationReport } from "./moderation/report.ts";

const usual = "../shared/data/safety";
const folder = readCommandLine(
  `usage: npm run eval:safety [-- <folder>, ${usual} where none is named]`,
  () => {
    const { positionals } = parseArgs({ allowPositionals: true });
    return existingPath(positionals.length === 0 ? [usual] : positionals);
  },
);
for (const line of moderationReport(folder)) process.stdout.write(`${line}\n`);
