import type { Jurisdiction, Owner } from "../contracts/owner.ts";
import { base32, base32Number, parseBase32Number } from "./base32.ts";
import type { KeyedHash } from "./keyed-hash.ts";

/**
 * The ids that name a Generation, a Conversation, a KnowledgeBase or a Batch object, a file, or an upload in parts: how they are made, and
 * how a guessed one is refused without waking an object.
 *
 *   chatcmpl-  01k8f…  (26)      n       7q2c…  (20)
 *   kind       time and random   place   tag
 *
 * The first 26 are a ULID's layout (48 bits of time, 80 of randomness), the place is the owner's jurisdiction, and the
 * tag is 100 bits of HMAC over all of it, the tenant and the user: an id of one owner verifies for no other.
 */
const prefixes = {
  chat: "chatcmpl-",
  completion: "cmpl-",
  response: "resp_",
  conversation: "conv_",
  file: "file-",
  vectorStore: "vs_",
  batch: "batch_",
  upload: "upload_",
  uploadPart: "part_",
} as const;
export type IdKind = keyof typeof prefixes;

const places: Record<Jurisdiction, string> = { none: "n", eu: "e" };
const uniqueLength = 26;
const timeLength = 10;
const tagLength = 20;
const bodyPattern = /^([0-9a-hjkmnp-tv-z]{26})([ne])([0-9a-hjkmnp-tv-z]{20})$/;

export interface MintedId {
  /** What clients see. */
  readonly id: string;
  /** The object's name in its namespace; also the turn id and the charge id of a durable turn. */
  readonly objectName: string;
}

export interface VerifiedId extends MintedId {
  readonly kind: IdKind;
  readonly jurisdiction: Jurisdiction;
}

export interface MintRequest {
  readonly kind: IdKind;
  readonly owner: Owner;
  readonly jurisdiction: Jurisdiction;
  readonly nowMs: number;
  /** 10 bytes or more: random, or derived (from an Idempotency-Key) where equal requests must meet in one object. */
  readonly entropy: Uint8Array;
}

/** The name that `mintId` gives the object, whoever will own it. */
export function mintObjectName(request: Pick<MintRequest, "nowMs" | "entropy" | "jurisdiction">): string {
  const unique = base32Number(request.nowMs, timeLength) + base32(request.entropy, uniqueLength - timeLength);
  return unique + places[request.jurisdiction];
}

export async function mintId(hash: KeyedHash, request: MintRequest): Promise<MintedId> {
  const objectName = mintObjectName(request);
  const tag = await tagOf(hash, request.kind, objectName, request.owner);
  return { id: prefixes[request.kind] + objectName + tag, objectName };
}

/** The object that `id` names, if we made the id for this owner; else `null`. Constant time in the tag. */
export async function verifyId(hash: KeyedHash, id: string, owner: Owner): Promise<VerifiedId | null> {
  const kind = kindOf(id);
  if (kind === null) return null;
  const match = bodyPattern.exec(id.slice(prefixes[kind].length));
  if (match === null) return null;
  const [, unique = "", place = "", tag = ""] = match;
  const objectName = unique + place;
  if (!equalInConstantTime(tag, await tagOf(hash, kind, objectName, owner))) return null;
  return { id, kind, objectName, jurisdiction: place === places.eu ? "eu" : "none" };
}

/** The object that an id of our own names; the tag is not checked. `null`: no such id. */
export function objectOfId(
  id: string,
): { readonly objectName: string; readonly jurisdiction: Jurisdiction } | null {
  const kind = kindOf(id);
  const match = kind === null ? null : bodyPattern.exec(id.slice(prefixes[kind].length));
  if (match === null) return null;
  const [, unique = "", place = ""] = match;
  return { objectName: unique + place, jurisdiction: place === places.eu ? "eu" : "none" };
}

/** When an id of our own was made, in milliseconds since 1970. `null`: no such id. */
export function timeOfId(id: string): number | null {
  const named = objectOfId(id);
  return named === null ? null : parseBase32Number(named.objectName.slice(0, timeLength));
}

/** Which kind the id claims to be, by its prefix alone. */
export function kindOf(id: string): IdKind | null {
  for (const kind of Object.keys(prefixes) as IdKind[]) if (id.startsWith(prefixes[kind])) return kind;
  return null;
}

async function tagOf(hash: KeyedHash, kind: IdKind, objectName: string, owner: Owner): Promise<string> {
  return base32(await hash.of("id/1", kind, objectName, owner.tenant, owner.user), tagLength);
}

function equalInConstantTime(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let at = 0; at < left.length; at += 1) difference |= left.charCodeAt(at) ^ right.charCodeAt(at);
  return difference === 0;
}
