/**
 * In which language is a question asked, as far as that can be seen? Not a full language detector: it separates languages that a
 * multilingual embedder would treat as one, and recognises English, since english.ts's rules hold for no other language.
 */
export interface Language {
  readonly script: string;
  /** `null`: its script is all that is known. */
  readonly name: string | null;
}

const scripts: readonly (readonly [string, RegExp])[] = [
  ["latin", /\p{Script=Latin}/u],
  ["cyrillic", /\p{Script=Cyrillic}/u],
  ["kana", /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ["han", /\p{Script=Han}/u],
  ["hangul", /\p{Script=Hangul}/u],
  ["arabic", /\p{Script=Arabic}/u],
  ["devanagari", /\p{Script=Devanagari}/u],
  ["greek", /\p{Script=Greek}/u],
  ["hebrew", /\p{Script=Hebrew}/u],
  ["thai", /\p{Script=Thai}/u],
];

/** Words that one of them has and the others, mostly, have not. */
const common: Readonly<Record<string, ReadonlySet<string>>> = {
  en: words(
    "the is are how what why when where who which can do does did should would and with you my of to it that this if or explain define describe tell me give list write show please",
  ),
  de: words(
    "der die das ist sind wie was warum wann wo wer welche kann und mit ich mein von zu nicht ein eine für auf im den",
  ),
  fr: words(
    "le la les est sont comment quoi pourquoi quand où qui quelle quel peut et avec je mon de du pas un une pour dans des",
  ),
  es: words(
    "el la los las es son cómo qué por cuándo dónde quién cuál puede y con yo mi de del no un una para en",
  ),
  it: words(
    "il lo gli è sono come cosa perché quando dove chi quale può e con io mio di del non un una per nel della",
  ),
  pt: words(
    "o os as é são como que porque quando onde quem qual pode e com eu meu de do da não um uma para em",
  ),
  nl: words(
    "de het is zijn hoe wat waarom wanneer waar wie welke kan en met ik mijn van naar niet een voor op dat",
  ),
};

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

/** @param tokens in lower case */
export function languageOf(tokens: readonly string[]): Language {
  const script = scriptOf(tokens);
  if (script !== "latin") return { script, name: null };
  let best: string | null = null;
  let most = 0;
  let isTie = false;
  for (const [name, list] of Object.entries(common)) {
    const count = tokens.reduce((sum, token) => sum + (list.has(token) ? 1 : 0), 0);
    if (count > most) [best, most, isTie] = [name, count, false];
    else if (count === most) isTie = true;
  }
  return { script, name: most === 0 || isTie ? null : best };
}

function scriptOf(tokens: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const token of tokens)
    for (const [name, pattern] of scripts)
      if (pattern.test(token)) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        break;
      }
  let best = "none";
  let most = 0;
  for (const [name, count] of counts) if (count > most) [best, most] = [name, count];
  return best;
}
