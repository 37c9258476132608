/**
 * How well does the in-process moderation find harm, and how often does it cry wolf? `npm run eval:safety -- ../shared/data/safety`.
 *
 * What the shipped weights were trained on is judged out of fold: by models that saw neither a text nor, under `template`, another copy of its
 * template. `row` is what another part of the same sets should give. Benign texts that no model saw are judged by the shipped weights.
 */
import { moderationReport } from "./moderation/report.ts";

const folder = process.argv[2] ?? "../shared/data/safety";
for (const line of moderationReport(folder)) process.stdout.write(`${line}\n`);
