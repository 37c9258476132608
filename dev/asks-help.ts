/** Was a command asked how it is used? Then it says so and does nothing: no error, nothing on stderr. */
export function asksHelp(parameters: readonly string[]): boolean {
  return parameters.includes("--help") || parameters.includes("-h");
}

/** Does `parseArgs` not know what was given? It throws a TypeError with a code, whose message is a sentence. */
export function isWrongUsage(error: unknown): error is TypeError {
  return error instanceof TypeError && String(Reflect.get(error, "code")).startsWith("ERR_PARSE_ARGS");
}
