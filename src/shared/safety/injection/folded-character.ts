/**
 * As what does a person or a model read a character? Compatibility forms (fullwidth, mathematical, circled) and accented letters fold into
 * plain lower-case letters, invisible characters into nothing; for letters of other scripts that look Latin, the Latin letter is given too.
 * Each character is folded by itself, never the text as a whole, so offsets stay those of the text.
 */

/** Letters of Cyrillic, Greek, Armenian and phonetic small capitals, and the Latin letters that they look like. */
const lookalikeLetters = [
  ["абвгдезикмнорстухцьѕіјһԁԛԝѵѡ", "a6brde3ukmhopctyxцbsijhdqwvw"],
  ["αβγεηικνορτυχωϲϳ", "abyenikvoptuxwcj"],
  ["աոսցօհյզ", "wnugohjq"],
  ["ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡı", "abcdefghijklmnoprstuvwyzagi"],
] as const;

let looks: Map<string, string> | null = null;

/** Each letter, and the one that it looks like, is one UTF-16 unit long. */
function lookalikes(): Map<string, string> {
  looks ??= new Map(
    lookalikeLetters.flatMap(([letters, plain]) =>
      Array.from(letters, (letter, at) => [letter, plain.charAt(at)] as const),
    ),
  );
  return looks;
}

export interface FoldedCharacter {
  /** Code units of lower case; empty: the character is invisible. */
  readonly codes: readonly number[];
  /** The same with lookalikes replaced by ASCII letters; `null`: it has none. */
  readonly latin: readonly number[] | null;
  readonly kind: FoldedKind;
}
/** `separator`: ends a word. `ideograph`: a word by itself. `hidden`: shows nothing. `tag`: an invisible ASCII character. */
export type FoldedKind = "letter" | "ideograph" | "separator" | "hidden" | "tag";

/** After this many different characters the memory is cleared. */
const mostRemembered = 4096;
let remembered = new Map<number, FoldedCharacter>();

/** @param codePoint beyond ASCII */
export function foldCharacter(codePoint: number): FoldedCharacter {
  const known = remembered.get(codePoint);
  if (known !== undefined) return known;
  const folded = fold(codePoint);
  if (remembered.size >= mostRemembered) remembered = new Map();
  remembered.set(codePoint, folded);
  return folded;
}

const hidden: FoldedCharacter = { codes: [], latin: null, kind: "hidden" };
const separator: FoldedCharacter = { codes: [], latin: null, kind: "separator" };

function fold(codePoint: number): FoldedCharacter {
  // Unicode's tag characters: they can spell a whole message that no screen shows and every tokenizer reads.
  if (codePoint >= 0xe0020 && codePoint < 0xe007f)
    return { codes: [codePoint - 0xe0000], latin: null, kind: "tag" };
  const character = String.fromCodePoint(codePoint);
  // Zero-width, bidirectional controls, soft hyphen, variation selectors, and combining marks.
  if (/^[\p{Cf}\p{Mn}\p{Me}\u115f\u1160\u3164\u{e0000}-\u{e007f}]$/u.test(character)) return hidden;
  const plain = character.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  if (!/[\p{L}\p{N}]/u.test(plain)) return separator;
  const kind =
    /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u.test(plain)
      ? "ideograph"
      : "letter";
  const letters = plain.replace(/[^\p{L}\p{N}]/gu, "");
  const read = Array.from(letters, (letter) => lookalikes().get(letter) ?? letter).join("");
  return { codes: codesOf(letters), latin: read === letters ? null : codesOf(read), kind };
}

function codesOf(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}
