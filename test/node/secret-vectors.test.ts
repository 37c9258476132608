import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { resolvePolicy } from "../../src/shared/safety/safety-policy.ts";
import { screen } from "../../src/shared/safety/screen.ts";

/** Values in the vendors' published forms, made up by a fixed sequence, and what looks like them: docs/moderation.md has the table. */
const mask = resolvePolicy({ action: "mask", kinds: {} });
const hexadecimal = "0123456789abcdef";
const digits = "0123456789";
const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Mulberry32. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
const random = sequence(7);
const some = (count: number, alphabet = alphanumeric): string =>
  Array.from({ length: count }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
const signed = (header: string): string => `${header}.eyJ${some(60)}.${some(43)}`;
const dashes = "-".repeat(5);

const vendors: readonly (readonly [vendor: string, value: () => string])[] = [
  ["OpenAI, of a project", () => `sk-proj-${some(74)}T3BlbkFJ${some(74)}`],
  ["OpenAI, of a service account", () => `sk-svcacct-${some(74)}T3BlbkFJ${some(74)}`],
  ["Anthropic", () => `sk-ant-api03-${some(93)}AA`],
  ["AWS", () => `AKIA${some(16, base32)}`],
  ["AWS, for a time", () => `ASIA${some(16, base32)}`],
  ["Google Cloud", () => `AIza${some(35)}`],
  ["Google OAuth, a client's", () => `GOCSPX-${some(28)}`],
  ["GitHub", () => `ghp_${some(36)}`],
  ["GitHub, fine-grained", () => `github_pat_${some(22)}_${some(59)}`],
  ["GitHub, of an installation", () => `ghs_${some(6, digits)}_${signed("eyJhbGciOiJSUzI1NiJ9")}`],
  ["GitLab", () => `glpat-${some(20)}`],
  ["GitLab, routable", () => `glpat-${some(27)}.01.${some(9, hexadecimal)}`],
  ["GitLab, of a runner", () => `glrt-${some(20)}`],
  ["GitLab, of a deployment", () => `gldt-${some(20)}`],
  ["Slack, a bot's", () => `xoxb-${some(13, digits)}-${some(13, digits)}-${some(24)}`],
  ["Slack, an app's", () => `xapp-1-A${some(10, base32)}-${some(13, digits)}-${some(64, hexadecimal)}`],
  ["Stripe", () => `sk_live_${some(99)}`],
  ["Stripe, of webhooks", () => `whsec_${some(32)}`],
  ["npm", () => `npm_${some(36)}`],
  ["PyPI", () => `pypi-AgEIcHlwaS5vcmc${some(100)}`],
  ["Hugging Face", () => `hf_${some(34)}`],
  ["Twilio", () => `SK${some(32, hexadecimal)}`],
  ["SendGrid", () => `SG.${some(22)}.${some(43)}`],
  ["HashiCorp Vault", () => `hvs.${some(95)}`],
  ["Docker Hub", () => `dckr_pat_${some(27)}`],
  ["Atlassian", () => `ATATT3xFfGF0${some(180)}`],
  ["a signed token (JWT)", () => signed("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9")],
  [
    "an encrypted token (JWE)",
    () => `eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.${some(342)}.${some(16)}.${some(80)}.${some(22)}`,
  ],
  [
    "a private key in the JSON of a service account",
    () => `${dashes}BEGIN PRIVATE KEY${dashes}\\n${some(64)}\\n${dashes}END PRIVATE KEY${dashes}`,
  ],
];

test.each(vendors)("%s: all of it is masked, in prose, in code and in a list", (_, value) => {
  for (let time = 0; time < 50; time += 1) {
    const secret = value();
    for (const [before, behind] of [
      ["The key is ", " and no other"],
      ['API_KEY="', '"'],
      ["- ", "\n- "],
    ] as const) {
      const { text, spans } = screen(before + secret + behind, mask);
      expect(spans).toHaveLength(1);
      expect(text).toMatch(/^.{0,11}\[(?:API key|token|private key)\].{0,13}$/s);
    }
  }
});

const uuid = (): string =>
  [
    some(8, hexadecimal),
    some(4, hexadecimal),
    `4${some(3, hexadecimal)}`,
    some(4, hexadecimal),
    some(12, hexadecimal),
  ].join("-");

/** Of 10,000, how many are taken for something. */
const harmless: readonly (readonly [what: string, value: () => string, most: number])[] = [
  ["UUIDs", uuid, 5],
  ["MD5 sums", () => some(32, hexadecimal), 5],
  ["commits of git (SHA-1)", () => some(40, hexadecimal), 0],
  ["SHA-256 sums", () => some(64, hexadecimal), 0],
  ["texts in Base64", () => btoa(some(48)), 0],
  ["phone numbers (+49 170 1234567)", () => `+49 170 ${some(7, digits)}`, 0],
  ["times in milliseconds", () => `17${some(11, digits)}`, 0],
  ["ISBNs of 13 digits", () => `978-3-16-${some(6, digits)}-${some(1, digits)}`, 0],
  ["order numbers of 10 digits", () => some(10, digits), 0],
  ["order numbers of 12 digits", () => some(12, digits), 80],
  ["order numbers of 16 digits", () => some(16, digits), 500],
  ["versions and addresses (10.0.12.7:8443)", () => `10.0.${some(2, digits)}.7:8${some(3, digits)}`, 0],
  ["packages with a version", () => `@scope/${some(6)}@1.${some(2, digits)}.0`, 0],
  ["handles and decorators", () => `@${some(8)} and user@host`, 0],
];

test.each(harmless)("%s: at most so many of 10,000 are taken for a secret", (_, value, most) => {
  let taken = 0;
  for (let time = 0; time < 10_000; time += 1)
    taken += screen(`No. ${value()}, please`, mask).spans.length > 0 ? 1 : 0;
  expect(taken).toBeLessThanOrEqual(most);
  if (most > 5) expect(taken).toBeGreaterThan(most / 4);
});

test("the page names every vendor and everything harmless, with its bound", () => {
  const page = readFileSync(`${root}docs/moderation.md`, "utf8");
  for (const [vendor] of vendors) expect(page).toContain(vendor);
  for (const [what, , most] of harmless)
    expect(page).toContain(`| ${what} | ${most === 0 ? "none" : `at most ${most}`} |`);
});
