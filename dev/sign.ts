/** `npm run --silent sign`: prints a curl command for a signed request, and nothing else. */
import { asksHelp, endWith } from "./commands/command-line.ts";
import { makeSignedCommand, signUsage } from "./commands/sign-command.ts";

const parameters = process.argv.slice(2);
try {
  process.stdout.write(`${asksHelp(parameters) ? signUsage : await makeSignedCommand(parameters)}\n`);
} catch (error) {
  endWith(error, signUsage);
}
