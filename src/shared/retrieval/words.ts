/**
 * Which words is a text made of, for searching? The same ones in memory as in the index: letters and digits, small, without accents,
 * stemmed where they are English. Scripts without blanks between words (Chinese, Japanese, Thai, …) and Korean, whose words carry their
 * particles, go by pairs of characters.
 */
import { once } from "../isolate/once.ts";
import { porterStem } from "./porter-stem.ts";

// The last two: the voice marks of narrow katakana, which belong to no script.
const unspaced =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u30fc\\uff9e\\uff9f";
/** A run of either kind ends where the other begins: `iPhone手机` and `2024年` are two each. */
const wordPattern = new RegExp(`[${unspaced}]+|[[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]+`, "gv");
const unspacedCharacter = new RegExp(`[${unspaced}]`, "u");
/** How a character looks (an emoji in colour, a variant of an ideograph, a key around a digit): none is part of a word. */
const looks = /[\u20d0-\u20ff\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu;
/** Accents, and the vowel points of Arabic and Hebrew, which most texts leave out. Vowel signs of Indic scripts stay: they are letters there. */
const accents = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]/g;

/** A word of more is no word: base64, a hash, or an attack. */
const maxWordCharacters = 64;

/**
 * Words in order, at most `limit`. Of a script without blanks each pair of neighbours is one, a single character alone is one.
 * Time is linear in the text.
 */
export function wordsOf(text: string, limit = Number.POSITIVE_INFINITY): string[] {
  const words: string[] = [];
  // Letters that were taken apart (file names of macOS are) meet those that were not.
  const whole = isAscii(text) ? text : text.normalize("NFC").replace(looks, "");
  for (const [run] of whole.matchAll(wordPattern)) {
    if (words.length >= limit) break;
    if (isAscii(run)) {
      words.push(porterStem(run.slice(0, maxWordCharacters).toLowerCase()));
    } else if (unspacedCharacter.test(run)) {
      // Narrow katakana meet the wide. ㈜ is `(주)`, whose signs are no more of a word than where they are written out.
      for (const part of run.normalize("NFKC").split(/[()]+/)) if (part !== "") pushPairs(part, words, limit);
    } else {
      // Latin letters with accents and without must meet.
      const plain = run
        .slice(0, maxWordCharacters * 2)
        .normalize("NFKD")
        .replace(accents, "")
        .toLowerCase()
        .replaceAll("ß", "ss");
      for (const [part] of plain.matchAll(wordPattern)) {
        if (words.length >= limit) break;
        words.push(porterStem(part.slice(0, maxWordCharacters)));
      }
    }
  }
  return words;
}

function pushPairs(run: string, words: string[], limit: number): void {
  let before = "";
  let pairs = 0;
  for (const character of run) {
    if (before !== "" && words.length < limit) {
      words.push(before + character);
      pairs += 1;
    }
    before = character;
  }
  if (pairs === 0 && words.length < limit) words.push(before);
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** English words that say nothing of what a text is about, stemmed. A query of nothing else is searched by them all the same. */
const emptyWords = once<ReadonlySet<string>>(
  () =>
    new Set(
      (
        "a about above after again against all also am an and any are as at be because been before being below between both but by can could did do " +
        "does doing down during each few for from further had has have having he her here hers him his how i if in into is it its itself just me more " +
        "most must my no nor not now of off on once only or other our out over own per same she should so some such than that the their them then " +
        "there these they this those through to too under until up upon us very was we were what when where whether which while who whom why will " +
        "with within without would you your"
      )
        .split(" ")
        .map(porterStem),
    ),
);

export function saysNothing(word: string): boolean {
  return emptyWords().has(word);
}
