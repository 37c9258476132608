/**
 * How well does the in-process moderation find harm, and how often does it cry wolf? `npm run eval:safety -- ../shared/data/safety`.
 *
 * Texts of the training set are judged out of fold: by models that saw neither the text nor, under `template`, another copy of its template.
 * `row` estimates the result for other parts of the same sets. The shipped weights judge benign texts that no model saw.
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
