/** `npm run --silent sign`: prints a curl command for a signed request, and nothing else. */
import { asksHelp, isWrongUsage } from "./asks-help.ts";
import { makeSignedCommand, SignError, signUsage } from "./sign-command.ts";

const parameters = process.argv.slice(2);
try {
  process.stdout.write(`${asksHelp(parameters) ? signUsage : await makeSignedCommand(parameters)}\n`);
} catch (error) {
  const isExpected = error instanceof SignError || isWrongUsage(error);
  console.error(isExpected ? `${error.message}\n${signUsage}` : error);
  process.exitCode = 1;
}
