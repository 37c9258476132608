/** Could somebody guess this secret? By its look alone: random bytes never look so, what somebody typed does. */

/** So many characters have 24 random bytes in base64; 32, as they are to be, have 43 or 44. */
const leastCharacters = 32;
/** Random base64 or hexadecimal of that length has more, but once in a hundred thousand times. */
const leastDifferent = 10;

export function isGuessable(secret: string): boolean {
  return secret.length < leastCharacters || new Set(secret).size < leastDifferent;
}
