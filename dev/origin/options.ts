import { parseArgs } from "node:util";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { defaultBasePort, type FleetOptions } from "./fleet.ts";

/** The fleet's options: a flag, else its variable, else the default. */
export const usage = `The dev fleet: replicas that speak vLLM's OpenAI API, without a model or a GPU.

  npm run fleet -- [flags]

  --port N              first port, one a replica from there   (DEV_FLEET_PORT, ${defaultBasePort})
  --replicas N          replicas in all                        (DEV_FLEET_REPLICAS, 4)
  --ttft-ms N           prefill of an uncached prompt          (DEV_FLEET_TTFT_MS, 100)
  --token-ms N          time a token; 0: as fast as possible   (DEV_FLEET_TOKEN_MS, 25)
  --slots N             requests that a replica runs at once   (DEV_FLEET_SLOTS, 64)
  --reasoning-field F   reasoning | reasoning_content | both   (DEV_FLEET_REASONING_FIELD, reasoning)
  --quiet               record nothing, for benchmarks         (DEV_FLEET_QUIET=1)
  --help
`;

const lastPort = 65_535;

const flags = {
  port: { type: "string" },
  replicas: { type: "string" },
  "ttft-ms": { type: "string" },
  "token-ms": { type: "string" },
  slots: { type: "string" },
  "reasoning-field": { type: "string" },
  quiet: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** The error is a sentence for the terminal. */
export function readOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Result<FleetOptions | "help", string> {
  let values: ReturnType<typeof parseFlags>;
  try {
    values = parseFlags(argv);
  } catch (error) {
    // parseArgs throws for an unknown flag.
    return err(error instanceof Error ? error.message : "unknown flag");
  }
  if (values.help === true) return ok("help");
  const numbers = {
    basePort: { flag: "port", least: 0, most: lastPort, whole: true },
    replicas: { flag: "replicas", least: 1, most: 512, whole: true },
    ttftMs: { flag: "ttft-ms", least: 0, most: 600_000, whole: false },
    tokenMs: { flag: "token-ms", least: 0, most: 60_000, whole: false },
    slots: { flag: "slots", least: 1, most: 4096, whole: true },
  } as const;
  const read: { -readonly [Name in keyof typeof numbers]?: number } = {};
  for (const [name, rule] of Object.entries(numbers)) {
    const variable = `DEV_FLEET_${rule.flag.toUpperCase().replaceAll("-", "_")}`;
    const text = values[rule.flag] ?? environment[variable];
    if (text === undefined || text === "") continue;
    const value = Number(text);
    if (!(value >= rule.least && value <= rule.most) || (rule.whole && !Number.isInteger(value)))
      return err(
        `--${rule.flag} (${variable}) must be a number from ${rule.least} to ${rule.most}, not "${text}".`,
      );
    read[name as keyof typeof numbers] = value;
  }
  const { basePort = defaultBasePort, replicas = 4 } = read;
  if (basePort + replicas - 1 > lastPort)
    return err(
      `--port (DEV_FLEET_PORT) ${basePort} leaves no room for ${replicas} replicas below ${lastPort}.`,
    );
  const field = values["reasoning-field"] ?? environment["DEV_FLEET_REASONING_FIELD"] ?? "reasoning";
  if (field !== "reasoning" && field !== "reasoning_content" && field !== "both")
    return err(`--reasoning-field must be reasoning, reasoning_content or both, not "${field}".`);
  const quiet = values.quiet ?? ["1", "true"].includes(environment["DEV_FLEET_QUIET"] ?? "");
  return ok({ ...read, reasoningField: field, quiet });
}

function parseFlags(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: flags, strict: true }).values;
}
