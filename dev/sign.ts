/** `npm run --silent sign`: prints a curl command for a signed request, and nothing else. */
import { makeSignedCommand, SignError, signUsage } from "./sign-command.ts";

try {
  process.stdout.write(`${await makeSignedCommand(process.argv.slice(2))}\n`);
} catch (error) {
  const expected = error instanceof SignError || (error instanceof TypeError && "code" in error);
  console.error(expected ? `${error.message}\n${signUsage}` : error);
  process.exitCode = 1;
}
