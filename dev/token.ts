/** `npm run --silent token -- --tenant demo --user alice`: prints a JWT for local use, and nothing else. */
import { makeToken, TokenError, tokenUsage } from "./local-token.ts";

try {
  process.stdout.write(`${await makeToken(process.argv.slice(2))}\n`);
} catch (error) {
  const expected = error instanceof TokenError || (error instanceof TypeError && "code" in error);
  console.error(expected ? `${error.message}\n${tokenUsage}` : error);
  process.exitCode = 1;
}
