/**
 * Is an engine's JSON flat enough to be handled? `JSON.parse` reads any depth, but what writes JSON again runs out of stack at some four
 * thousand levels. What clients send is bounded by src/shared/wire/json-bounds.ts.
 */

/** Far more than any answer has, arguments of calls included, and far less than the stack bears. */
const mostLevels = 512;

/** Of a JSON text; of any other it says nothing of use. */
export function isTooDeep(json: string, most = mostLevels): boolean {
  // Nearly every event: each level takes two characters. And what opens so few, as log probabilities do, needs no look at where.
  if (json.length < 2 * most || !opensMore(json, most)) return false;
  let levels = 0;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charAt(at);
    if (character === '"') at = endOfText(json, at);
    else if (character === "]" || character === "}") levels -= 1;
    else if (character === "[" || character === "{") {
      levels += 1;
      if (levels > most) return true;
    }
  }
  return false;
}

/** Whether it holds more opening brackets of both kinds, those in its strings among them. */
function opensMore(json: string, most: number): boolean {
  let seen = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = json.indexOf(bracket); at !== -1; at = json.indexOf(bracket, at + 1)) {
      seen += 1;
      if (seen > most) return true;
    }
  }
  return false;
}

/** Where the text that begins at `start` has its closing quote. */
function endOfText(json: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = json.indexOf('"', at);
    if (at === -1) return json.length;
    let slashes = 0;
    while (json[at - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return at;
  }
}
