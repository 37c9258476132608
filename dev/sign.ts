/** `npm run --silent sign`: prints a curl command for a signed request, and nothing else. */
import { asksHelp } from "./asks-help.ts";
import { makeSignedCommand, SignError, signUsage } from "./sign-command.ts";

const parameters = process.argv.slice(2);
try {
  process.stdout.write(`${asksHelp(parameters) ? signUsage : await makeSignedCommand(parameters)}\n`);
} catch (error) {
  const expected = error instanceof SignError || (error instanceof TypeError && "code" in error);
  console.error(expected ? `${error.message}\n${signUsage}` : error);
  process.exitCode = 1;
}
