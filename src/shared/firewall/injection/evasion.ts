/**
 * What does a text say once its encodings are undone? Payloads come percent-encoded (twice, too), as HTML entities, in odd quotes, split by
 * comments or by what a shell ignores. Runs only for texts that the quick scan did not clear.
 */

/** Longest text that is looked at: rules are linear in it. Longer ones end here; the request line's own bound is the same. */
export const maxScannedCharacters = 8192;

/** More layers than this are no client's accident; request-target.ts refuses them in a path. */
const maxDecodings = 3;

export interface Unmasked {
  /** Decoded, lower case, with plain quotes and single blanks; line breaks stay. */
  readonly text: string;
  /** Without SQL comments; what MySQL runs inside of `/*!…` stays. */
  readonly sql: string;
  /** Without what a shell drops between the letters of a word. */
  readonly shell: string;
  /** Without any blank or control character, as browsers read a URL's scheme. */
  readonly compact: string;
}

/** `plusIsBlank`: in a query, and in texts that may hold one. */
export function unmask(raw: string, plusIsBlank: boolean): Unmasked {
  const text = plain(
    raw.length > maxScannedCharacters ? raw.slice(0, maxScannedCharacters) : raw,
    plusIsBlank,
  );
  return {
    text,
    sql: withoutComments(text),
    shell: withoutShellNoise(text),
    compact: text.replace(/[\s\0]+/g, ""),
  };
}

function plain(raw: string, plusIsBlank: boolean): string {
  let text = plusIsBlank ? raw.replaceAll("+", " ") : raw;
  for (let round = 0; round < maxDecodings && text.includes("%"); round += 1) {
    const decoded = decodeOnce(text);
    if (decoded === text) break;
    text = plusIsBlank ? decoded.replaceAll("+", " ") : decoded;
  }
  return decodeEntities(text)
    .toLowerCase()
    .replace(/[\u2018\u2019\u00b4\u02bc\uff07]/g, "'")
    .replace(/[\u201c\u201d\uff02]/g, '"')
    .replace(/[^\S\r\n]+/g, " ");
}

/** One layer of percent-encoding, tolerant: what is no UTF-8 is taken byte by byte, as lenient servers do. */
function decodeOnce(text: string): string {
  const wide = text.replace(/%u([0-9a-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return wide.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      // No UTF-8: each byte is a character.
      return bytes.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    }
  });
}

const namedEntities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  colon: ":",
  lpar: "(",
  rpar: ")",
  tab: " ",
  newline: "\n",
};

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/gi,
    (whole: string, hex, decimal, name) => {
      const named = typeof name === "string" ? namedEntities[name.toLowerCase()] : undefined;
      if (named !== undefined) return named;
      const code = typeof hex === "string" ? Number.parseInt(hex, 16) : Number(decimal);
      return Number.isInteger(code) && code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

function withoutComments(text: string): string {
  if (!text.includes("/*")) return text;
  return text
    .replace(/\/\*!\d{0,6}/g, " ")
    .replace(/\/\*[^*]{0,2000}\*\//g, " ")
    .replaceAll("*/", " ");
}

/** `c''at`, `c\at`, `c$@at`, `c$()at`, `cat$u`, `/[e//]tc`: the same command to a shell. */
function withoutShellNoise(text: string): string {
  return text
    .replace(/\$(?:\(\)|\{\}|[@*$!#?_-]|[a-z]\b)/g, "")
    .replace(/\[([^\]/]{1,8})\/{1,8}\]/g, "$1")
    .replace(/["'\\]/g, "");
}
