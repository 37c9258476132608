/** `npm run --silent token -- --tenant demo --user alice`: prints a JWT for local use, and nothing else. */
import { asksHelp, endWith } from "./commands/command-line.ts";
import { makeToken, tokenUsage } from "./commands/local-token.ts";

const parameters = process.argv.slice(2);
try {
  process.stdout.write(`${asksHelp(parameters) ? tokenUsage : await makeToken(parameters)}\n`);
} catch (error) {
  endWith(error, tokenUsage);
}
