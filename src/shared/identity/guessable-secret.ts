/**
 * Could somebody guess this secret? Judged by its characters alone: a secret that was typed by hand shows patterns that random bytes don't
 * have.
 */

/** So many characters have 24 random bytes in base64; 32, as they are to be, have 43 or 44. */
const leastCharacters = 32;
/** Random base64 or hexadecimal of that length has more, but once in a hundred thousand times. */
const leastDifferent = 10;

export function isGuessable(secret: string): boolean {
  return secret.length < leastCharacters || new Set(secret).size < leastDifferent;
}
