import { base32, base32Number } from "../turn/base32.ts";
import type { KeyedHash } from "../turn/keyed-hash.ts";

/**
 * What does an API key look like? `ew_<environment>_<id>_<secret>`: the id names the record, the secret is 160 random bits
 * and 7 characters of checksum over all that stands before them, as GitHub's tokens have it: a typo or a made-up key is
 * refused without a look-up, and a scanner of repositories finds real ones only. Base 32 without i, l, o and u.
 */
export const keyEnvironments = ["live", "test", "local"] as const;
/** `live` and `test` differ by name alone, for people and for scanners; `local` ones are refused in production, and only they are taken locally. */
export type KeyEnvironment = (typeof keyEnvironments)[number];

export interface ApiKeyText {
  readonly text: string;
  readonly environment: KeyEnvironment;
  readonly id: string;
}

/** 80 bits: neither guessed by chance nor shared by two keys. */
export const keyIdPattern = /^[0-9a-hjkmnp-tv-z]{16}$/;
const keyPattern = /^ew_(live|test|local)_([0-9a-hjkmnp-tv-z]{16})_[0-9a-hjkmnp-tv-z]{39}$/;
const checksumChars = 7;

/** `null`: not a key, or one with a typo. */
export function readApiKey(text: string): ApiKeyText | null {
  const match = keyPattern.exec(text);
  const [, environment, id] = match ?? [];
  if (environment === undefined || id === undefined) return null;
  const body = text.slice(0, -checksumChars);
  return text.endsWith(checksum(body)) ? { text, environment: environment as KeyEnvironment, id } : null;
}

/** `random`: 10 bytes for an id. */
export function makeKeyId(random: Uint8Array): string {
  return base32(random, 16);
}

/** `random`: 20 bytes for the secret. */
export function makeApiKey(environment: KeyEnvironment, id: string, random: Uint8Array): string {
  const body = `ew_${environment}_${id}_${base32(random, 32)}`;
  return body + checksum(body);
}

/** What is stored in place of the key: useless without EDGEWISE_SECRET, even for trying out keys. */
export async function hashApiKey(hash: KeyedHash, text: string): Promise<string> {
  return base32(await hash.of("api-key/1", text), 51);
}

/** In a time that only depends on the lengths. */
export function sameText(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let different = 0;
  for (let at = 0; at < left.length; at += 1) different |= left.charCodeAt(at) ^ right.charCodeAt(at);
  return different === 0;
}

/** CRC-32 (ISO 3309). No table: it runs for a key that isn't remembered, over 60 characters. */
function checksum(body: string): string {
  let crc = 0xffffffff;
  for (let at = 0; at < body.length; at += 1) {
    crc ^= body.charCodeAt(at);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return base32Number((crc ^ 0xffffffff) >>> 0, checksumChars);
}
