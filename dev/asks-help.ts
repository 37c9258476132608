/** Was a command asked how it is used? Then it says so and does nothing: no error, nothing on stderr. */
export function asksHelp(parameters: readonly string[]): boolean {
  return parameters.includes("--help") || parameters.includes("-h");
}
