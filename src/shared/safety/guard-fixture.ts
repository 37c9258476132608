import { type DirectionPolicy, type ResolvedPolicy, resolvePolicy } from "./safety-policy.ts";
import type { SafetyAction, Span, SpanKind } from "./span.ts";
import { StreamGuard } from "./stream-guard.ts";

/** Shared by the guard's tests. The keys are made up, and assembled here so that no scanner takes them for real ones. */
export function policyOf(
  action: SafetyAction,
  kinds: Partial<Record<SpanKind, SafetyAction>> = {},
): ResolvedPolicy {
  const policy: DirectionPolicy = { action, kinds };
  return resolvePolicy(policy);
}

export interface Guarded {
  readonly released: string;
  readonly spans: readonly Span[];
  readonly blocked: boolean;
  /** The most characters ever held back. */
  readonly mostHeld: number;
}

export function guardPieces(pieces: readonly string[], policy: ResolvedPolicy, isJson = false): Guarded {
  const guard = new StreamGuard(policy, isJson);
  let released = "";
  let received = 0;
  let mostHeld = 0;
  const spans: Span[] = [];
  let blocked = false;
  for (const piece of pieces) {
    const step = guard.push(piece);
    received += piece.length;
    released += step.release;
    spans.push(...step.spans);
    blocked = step.blocked;
    mostHeld = Math.max(mostHeld, received - released.length);
  }
  const last = guard.flush();
  spans.push(...last.spans);
  return { released: released + last.release, spans, blocked: blocked || last.blocked, mostHeld };
}

function luhnDigit(body: string): string {
  let sum = 0;
  for (const [index, character] of body.split("").reverse().entries()) {
    const doubled = Number(character) * (index % 2 === 0 ? 2 : 1);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

function ibanOf(country: string, account: string): string {
  const digits = `${account}${country}00`
    .split("")
    .map((character) => Number.parseInt(character, 36))
    .join("");
  const check = 98n - (BigInt(digits) % 97n);
  return `${country}${String(check).padStart(2, "0")}${account}`;
}

function grouped(text: string, separator: string): string {
  return (text.match(/.{1,4}/g) ?? []).join(separator);
}

/** Deterministic characters of an alphabet. */
function characters(count: number, seed: number, alphabet = "aB3dE5gH7jK9mN1pQrS2tUvW4xYz6C8f0"): string {
  let text = "";
  let state = seed * 7919 + 17;
  for (let index = 0; index < count; index += 1) {
    state = (state * 48_271) % 2_147_483_647;
    text += alphabet[state % alphabet.length] ?? "";
  }
  return text;
}

const dashes = "-".repeat(5);
/** Non-breaking blanks and hyphens, as models write them in numbers. */
const typeset = ["\u00a0", "\u202f", "\u2011", "\u2013"];

function privateKey(kind: string, lines: number, seed: number): string {
  const body = Array.from({ length: lines }, (_, line) => characters(64, seed * 100 + line)).join("\n");
  return `${dashes}BEGIN ${kind}${dashes}\n${body}\n${dashes}END ${kind}${dashes}`;
}

export interface Sample {
  readonly kind: SpanKind;
  readonly value: string;
}

/** A hundred values of every kind and form. */
export function samples(): Sample[] {
  const list: Sample[] = [];
  const add = (kind: SpanKind, value: string) => list.push({ kind, value });
  const bodies = [
    "453201511283036",
    "542523343010990",
    "601111111111111",
    "622700000000000",
    "37828224631000",
    "3056930902590",
  ];
  for (const [index, body] of bodies.entries()) {
    const card = body + luhnDigit(body);
    add("payment-card", card);
    if (card.length === 16)
      for (const separator of [" ", "-", ...typeset]) add("payment-card", grouped(card, separator));
    else add("payment-card", `${card.slice(0, 4)} ${card.slice(4, 10)} ${card.slice(10)}`);
    const other = `4${String(7_000_000_000_000 + index * 739_391_117).padStart(14, "1")}`;
    add("payment-card", other + luhnDigit(other));
  }
  const ibans: [string, string][] = [
    ["DE", "370400440532013000"],
    ["GB", "WEST12345698765432"],
    ["FR", "20041010050500013M02606"],
    ["NO", "86011117947"],
    ["MT", "MALT011000012345MTLCAST001S"],
    ["LC", "HEMM000100010012001200023015"],
    ["CH", "00762011623852957"],
  ];
  for (const [index, [country, account]] of ibans.entries()) {
    const iban = ibanOf(country, account);
    add("iban", iban);
    for (const separator of [" ", typeset[index % typeset.length] ?? ""])
      add("iban", grouped(iban, separator));
    add("iban", iban.toLowerCase());
  }
  const mails = [
    "a@b.co",
    "alice.liddell+news@example.com",
    "o'brien@mail.example.co.uk",
    "first_last-99%x@sub-domain.example.museum",
    `${"l".repeat(64)}@example.org`,
    `x@${"d".repeat(60)}.${"e".repeat(60)}.info`,
    "jörg@müller.de",
    "user@xn--mller-kva.xn--p1ai",
  ];
  for (const mail of mails) add("email", mail);
  for (let index = 0; index < 12; index += 1) add("email", `user${index}.name@host${index}.example.com`);
  const keys: [string, number, string?][] = [
    ["sk-", 48],
    ["sk-proj-", 120],
    ["sk-ant-api03-", 93],
    ["sk_live_", 24],
    ["rk_test_", 24],
    ["whsec_", 32],
    ["AKIA", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ234567"],
    ["ASIA", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ234567"],
    ["ghp_", 36],
    ["gho_", 36],
    ["ghs_", 36],
    ["github_pat_", 82],
    ["glpat-", 20],
    ["AIza", 35],
    ["ya29.", 150],
    ["xoxb-", 50],
    ["xoxp-", 70],
    ["npm_", 36],
    ["pypi-AgE", 150],
    ["hf_", 34],
    ["gsk_", 52],
    ["xai-", 80],
    ["pplx-", 48],
    ["r8_", 37],
    ["SG.", 66],
    ["shpat_", 32, "0123456789abcdef"],
    ["dop_v1_", 64, "0123456789abcdef"],
    ["dapi", 32, "0123456789abcdef"],
  ];
  for (const [index, [prefix, count, alphabet]] of keys.entries())
    add("api-key", prefix + characters(count, index + 1, alphabet));
  const segment = (count: number, seed: number) => `eyJ${characters(count, seed)}`;
  for (let index = 0; index < 6; index += 1) {
    const header =
      index % 2 === 0 ? "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" : `eyJraWQiOi${characters(90, index)}`;
    add("token", `${header}.${segment(60 + index * 30, index + 9)}.${characters(43, index)}`);
  }
  for (const [index, kind] of [
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
  ].entries())
    add("private-key", privateKey(kind, 2 + index, index));
  return list;
}
