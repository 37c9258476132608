/** `npm run --silent token -- --tenant demo --user alice`: prints a JWT for local use, and nothing else. */
import { asksHelp, isWrongUsage } from "./asks-help.ts";
import { makeToken, TokenError, tokenUsage } from "./local-token.ts";

const parameters = process.argv.slice(2);
try {
  process.stdout.write(`${asksHelp(parameters) ? tokenUsage : await makeToken(parameters)}\n`);
} catch (error) {
  const isExpected = error instanceof TokenError || isWrongUsage(error);
  console.error(isExpected ? `${error.message}\n${tokenUsage}` : error);
  process.exitCode = 1;
}
