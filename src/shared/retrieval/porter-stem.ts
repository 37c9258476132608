/**
 * The stem of an English word, by M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, in the variant of SQLite's
 * FTS5 (`porter`): what is in memory is cut as what is in the index. Words with anything but a to z, and those under three or over 64
 * letters, stay as they are.
 */
export function porterStem(word: string): string {
  if (word.length < 3 || word.length > 64 || !/^[a-z]+$/.test(word)) return word;
  return step5(suffixed(step4, suffixed(step3, suffixed(step2, step1c(step1b(step1a(word)))))));
}

type Rules = ReadonlyMap<string, readonly (readonly [suffix: string, becomes: string])[]>;

function isConsonant(word: string, at: number): boolean {
  const letter = word.charCodeAt(at);
  if (letter === 0x79) return at === 0 || !isConsonant(word, at - 1);
  return letter !== 0x61 && letter !== 0x65 && letter !== 0x69 && letter !== 0x6f && letter !== 0x75;
}

/** How many times a vowel is followed by a consonant, up to 2. */
function measure(stem: string): number {
  let count = 0;
  let afterVowel = false;
  for (let at = 0; at < stem.length && count < 2; at += 1) {
    const consonant = isConsonant(stem, at);
    if (consonant && afterVowel) count += 1;
    afterVowel = !consonant;
  }
  return count;
}

function hasVowel(stem: string): boolean {
  for (let at = 0; at < stem.length; at += 1) if (!isConsonant(stem, at)) return true;
  return false;
}

function endsDouble(word: string): boolean {
  return /([^aeiou])\1$/.test(word);
}

/** Consonant, vowel, consonant, the last not w, x or y. */
function endsShort(word: string): boolean {
  const last = word.length - 1;
  return (
    last >= 2 &&
    isConsonant(word, last) &&
    !isConsonant(word, last - 1) &&
    isConsonant(word, last - 2) &&
    !/[wxy]$/.test(word)
  );
}

/** With something in front of it. */
function ends(word: string, suffix: string): boolean {
  return word.length > suffix.length && word.endsWith(suffix);
}

function step1a(word: string): string {
  if (!word.endsWith("s")) return word;
  if (ends(word, "sses") || ends(word, "ies")) return word.slice(0, -2);
  return word.endsWith("ss") ? word : word.slice(0, -1);
}

function step1b(word: string): string {
  if (ends(word, "eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const cut = ends(word, "ed") ? 2 : ends(word, "ing") ? 3 : 0;
  if (cut === 0) return word;
  const stem = word.slice(0, -cut);
  if (!hasVowel(stem)) return word;
  if (ends(stem, "at") || ends(stem, "bl") || ends(stem, "iz")) return `${stem}e`;
  if (endsDouble(stem) && !/[lsz]$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function step1c(word: string): string {
  return word.endsWith("y") && hasVowel(word.slice(0, -1)) ? `${word.slice(0, -1)}i` : word;
}

/** By the last letter but one, as the paper orders them: the first suffix that fits decides. */
function rules(table: string): Rules {
  const byLetter = new Map<string, [string, string][]>();
  for (const rule of table.split(" ")) {
    const [suffix = "", becomes = ""] = rule.split(">");
    const letter = suffix.at(-2) ?? "";
    const list = byLetter.get(letter);
    if (list === undefined) byLetter.set(letter, [[suffix, becomes]]);
    else list.push([suffix, becomes]);
  }
  return byLetter;
}

const step2 = rules(
  "ational>ate tional>tion enci>ence anci>ance izer>ize logi>log bli>ble alli>al entli>ent eli>e ousli>ous ization>ize ation>ate ator>ate alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive biliti>ble",
);
const step3 = rules("icate>ic ative> alize>al iciti>ic ical>ic ful> ness>");
const step4 = rules(
  "al> ance> ence> er> ic> able> ible> ant> ement> ment> ent> ion> ou> ism> ate> iti> ous> ive> ize>",
);

function suffixed(table: Rules, word: string): string {
  const least = table === step4 ? 2 : 1;
  for (const [suffix, becomes] of table.get(word.at(-2) ?? "") ?? []) {
    if (!ends(word, suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    if (suffix === "ion" && !/[st]$/.test(stem)) return word;
    return measure(stem) >= least ? stem + becomes : word;
  }
  return word;
}

function step5(word: string): string {
  let stem = word;
  if (stem.endsWith("e")) {
    const without = stem.slice(0, -1);
    const size = measure(without);
    if (size > 1 || (size === 1 && !endsShort(without))) stem = without;
  }
  return stem.endsWith("ll") && measure(stem.slice(0, -1)) > 1 ? stem.slice(0, -1) : stem;
}
