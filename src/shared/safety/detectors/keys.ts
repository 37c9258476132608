import { isAsciiLetter, isDigit, more, none } from "./outcome.ts";

/**
 * Does the key of a known vendor begin at this letter? A prefix that nobody else uses, then enough characters of the
 * vendor's alphabet. All following characters of the alphabet belong to the key, however many: a key is recognised by its
 * first 48 characters at most, and the rest need not be held back.
 */
export interface KeyRule {
  readonly name: string;
  readonly kind: "api-key" | "token";
  readonly prefix: string;
  /** How many characters must follow the prefix. Together with the prefix at most 48. */
  readonly least: number;
  readonly inAlphabet: (code: number) => boolean;
  /** A prefix that is also an English syllable (`sk-`) needs a digit, or a capital after a small letter, within the first 48 characters. */
  readonly needsDigit: boolean;
}

const recognitionCharacters = 48;

function isAlphanumeric(code: number): boolean {
  return isDigit(code) || isAsciiLetter(code);
}
function isWordCharacter(code: number): boolean {
  return isAlphanumeric(code) || code === 0x5f || code === 0x2d;
}
function isUpperOrDigit(code: number): boolean {
  return isDigit(code) || isCapital(code);
}
function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}
function isSmall(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}
function isHexadecimal(code: number): boolean {
  return isDigit(code) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46);
}
function isDotted(code: number): boolean {
  return isWordCharacter(code) || code === 0x2e;
}

function key(
  name: string,
  prefix: string,
  least: number,
  inAlphabet: (code: number) => boolean,
  needsDigit = false,
): KeyRule {
  return { name, kind: "api-key", prefix, least, inAlphabet, needsDigit };
}

/** No prefix here is the beginning of another: at most one rule can match. */
const rules: readonly KeyRule[] = [
  // OpenAI (sk-, sk-proj-), Anthropic (sk-ant-), OpenRouter (sk-or-), and others that copied them.
  key("openai-anthropic", "sk-", 20, isWordCharacter, true),
  key("stripe", "sk_live_", 16, isAlphanumeric),
  key("stripe", "sk_test_", 16, isAlphanumeric),
  key("stripe", "rk_live_", 16, isAlphanumeric),
  key("stripe", "rk_test_", 16, isAlphanumeric),
  key("stripe-webhook", "whsec_", 24, isAlphanumeric),
  key("aws", "AKIA", 16, isUpperOrDigit),
  key("aws", "ASIA", 16, isUpperOrDigit),
  key("aws", "ABIA", 16, isUpperOrDigit, true),
  key("aws", "ACCA", 16, isUpperOrDigit, true),
  key("github", "ghp_", 36, isAlphanumeric),
  key("github", "gho_", 36, isAlphanumeric),
  key("github", "ghu_", 36, isAlphanumeric),
  // An app installation's token, which may also be `ghs_`, its number, and a signed token.
  key("github", "ghs_", 36, isDotted, true),
  key("github", "ghr_", 36, isAlphanumeric),
  key("github", "github_pat_", 22, isWordCharacter),
  // Routable ones end in `.01.` and a checksum.
  ...[
    "glpat-",
    "gldt-",
    "glrt-",
    "glrtr-",
    "glptt-",
    "glcbt-",
    "gloas-",
    "glft-",
    "glimt-",
    "glagent-",
    "glsoat-",
  ].map((prefix) => key("gitlab", prefix, 20, isDotted)),
  key("google", "AIza", 35, isWordCharacter),
  key("google-oauth", "ya29.", 20, isWordCharacter),
  key("google-oauth", "GOCSPX-", 24, isWordCharacter),
  key("slack", "xoxb-", 10, isWordCharacter, true),
  key("slack", "xoxa-", 10, isWordCharacter, true),
  key("slack", "xoxp-", 10, isWordCharacter, true),
  key("slack", "xoxr-", 10, isWordCharacter, true),
  key("slack", "xoxs-", 10, isWordCharacter, true),
  key("slack", "xoxe.", 10, isDotted, true),
  key("slack", "xapp-", 10, isWordCharacter, true),
  key("npm", "npm_", 36, isAlphanumeric),
  key("pypi", "pypi-AgE", 32, isWordCharacter),
  key("hugging-face", "hf_", 30, isAlphanumeric),
  key("hugging-face", "api_org_", 30, isAlphanumeric),
  key("groq", "gsk_", 40, isAlphanumeric),
  key("xai", "xai-", 40, isAlphanumeric),
  key("perplexity", "pplx-", 40, isAlphanumeric),
  key("replicate", "r8_", 37, isAlphanumeric),
  key("sendgrid", "SG.", 40, isDotted),
  key("shopify", "shpat_", 32, isHexadecimal),
  key("shopify", "shpss_", 32, isHexadecimal),
  key("digitalocean", "dop_v1_", 40, isHexadecimal),
  key("databricks", "dapi", 32, isHexadecimal),
  key("twilio", "SK", 32, isHexadecimal, true),
  key("vault", "hvs.", 24, isWordCharacter, true),
  key("docker", "dckr_pat_", 20, isWordCharacter, true),
  key("atlassian", "ATATT3", 32, isWordCharacter, true),
  key("linear", "lin_api_", 32, isAlphanumeric),
  key("figma", "figd_", 32, isWordCharacter, true),
  key("nvidia", "nvapi-", 32, isWordCharacter, true),
  key("sentry", "sntrys_", 32, isWordCharacter, true),
  key("tavily", "tvly-", 20, isWordCharacter, true),
  key("grafana", "glsa_", 32, isWordCharacter, true),
  key("notion", "ntn_", 32, isAlphanumeric, true),
  key("postman", "PMAK-", 24, isWordCharacter, true),
  key("age", "AGE-SECRET-KEY-1", 32, isUpperOrDigit),
];

const rulesByFirst: readonly (readonly KeyRule[])[] = Array.from({ length: 128 }, (_, code) =>
  rules.filter((rule) => rule.prefix.charCodeAt(0) === code),
);

/** Signed tokens (RFC 7519): `{"` in base64url, then a name that JOSE headers begin with. */
const tokenRule: KeyRule = {
  name: "jwt",
  kind: "token",
  prefix: "eyJ",
  least: 0,
  inAlphabet: (code) => isDotted(code) || code === 0x3d,
  needsDigit: false,
};
const tokenBeginnings = [
  "hbGci",
  "0eXAi",
  "raWQi",
  "4NXQ",
  "4NXUi",
  "4NWMi",
  "qa3Ui",
  "qd2si",
  "jdHki",
  "lbmMi",
  "6aXAi",
];

export interface KeyMatch {
  end: number;
  rule: KeyRule;
}

/** For `matchKey` to write into. Its rule is meaningless until a key is found. */
export function noKeyMatch(): KeyMatch {
  return { end: none, rule: noRule };
}

const noRule: KeyRule = {
  name: "none",
  kind: "api-key",
  prefix: "",
  least: 0,
  inAlphabet: () => false,
  needsDigit: false,
};

/** Whether any key begins with this letter. Read for every word. */
export const beginsKey: readonly boolean[] = rulesByFirst.map(
  (list, code) => list.length > 0 || code === tokenRule.prefix.charCodeAt(0),
);

/** Writes the end of the key recognised so far, `none` or `more`, into `match`. */
export function matchKey(text: string, at: number, length: number, final: boolean, match: KeyMatch): void {
  const code = text.charCodeAt(at);
  match.end = none;
  for (const rule of rulesByFirst[code] ?? []) {
    const end = matchRule(rule, text, at, length, final);
    if (end === none) continue;
    match.end = end;
    match.rule = rule;
    return;
  }
  if (code === 0x65) {
    match.end = matchToken(text, at, length, final);
    match.rule = tokenRule;
  }
}

function matchRule(rule: KeyRule, text: string, at: number, length: number, final: boolean): number {
  const { prefix } = rule;
  for (let index = 1; index < prefix.length; index += 1) {
    if (at + index >= length) return final ? none : more;
    if (text.charCodeAt(at + index) !== prefix.charCodeAt(index)) return none;
  }
  const believed = at + prefix.length + rule.least;
  let hasDigit = !rule.needsDigit;
  for (let index = at + prefix.length; index < at + recognitionCharacters; index += 1) {
    if (hasDigit && index >= believed) return index;
    if (index >= length) return final ? none : more;
    const code = text.charCodeAt(index);
    if (!rule.inAlphabet(code)) return none;
    if (isDigit(code) || (isCapital(code) && isSmall(text.charCodeAt(index - 1)))) hasDigit = true;
  }
  return hasDigit ? at + recognitionCharacters : none;
}

function matchToken(text: string, at: number, length: number, final: boolean): number {
  const begin = at + 3;
  let may = false;
  let begun = false;
  if (!startsSoFar(text, tokenRule.prefix, at, length)) return none;
  for (const name of tokenBeginnings) {
    if (!startsSoFar(text, name, begin, length)) continue;
    may = true;
    if (begin + name.length <= length) begun = true;
  }
  if (!may) return none;
  if (!begun) return final ? none : more;
  // A header longer than the held text is accepted by its beginning; a shorter one needs a signed, or encrypted, part after it.
  for (let index = begin; index < at + recognitionCharacters; index += 1) {
    if (index >= length) return final ? none : more;
    const code = text.charCodeAt(index);
    if (isWordCharacter(code)) continue;
    if (code !== 0x2e) return none;
    if (index + 1 >= length) return final ? none : more;
    return isWordCharacter(text.charCodeAt(index + 1)) ? index + 2 : none;
  }
  return at + recognitionCharacters;
}

/** Whether `text` at `at` matches `wanted`, as far as the text reaches. */
function startsSoFar(text: string, wanted: string, at: number, length: number): boolean {
  for (let index = 0; index < wanted.length && at + index < length; index += 1)
    if (text.charCodeAt(at + index) !== wanted.charCodeAt(index)) return false;
  return true;
}
