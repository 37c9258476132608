import { keyFields, olderNames, orderedFields, sayNothing } from "./key-fields.ts";

/**
 * Under which key does the exact cache hold the answer to this request? SHA-256 over one JSON array of everything that
 * could make the answer another one. JSON is unambiguous (strings are quoted, arrays closed), so that no two different
 * inputs give one text; the hash keeps prompts out of keys, logs and listings.
 */
export interface ExactKeyParts {
  readonly tenant: string;
  /** Null under `cache.share: "tenant"`. */
  readonly user: string | null;
  /** What the client asked for. */
  readonly alias: string;
  /** The model behind the alias, and its number format: answers of different weights are never mixed. */
  readonly model: { readonly id: string; readonly weights: string };
  readonly fleetVersion: string;
  readonly tenantVersion: string;
  /** The checked request (src/shared/wire/chat-request.ts). Absent and undefined fields are the same. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly policies: KeyPolicies;
}

/** Versions of every policy that changes the answer. Null: no such policy is at work. A new one does not compile until it is given. */
export interface KeyPolicies {
  /** The text itself, where it is used for this request. */
  readonly defaultSystemPrompt: string | null;
  /** composeVersion and controlTokenRulesVersion of src/shared/prompt. */
  readonly template: string;
  readonly safety: string | null;
}

/** Changes when this encoding does: no entry of an older form is then found. */
const encodingVersion = "edgewise-answer-2";

const encoder = new TextEncoder();

/** 64 lower-case hexadecimal digits. */
export async function exactKey(parts: ExactKeyParts): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(canonicalText(parts)));
  return hex(new Uint8Array(digest));
}

/** The text that is hashed: equal exactly if the answers may be. Exported for its tests. */
export function canonicalText(parts: ExactKeyParts): string {
  const { policies } = parts;
  const head = JSON.stringify([
    encodingVersion,
    parts.tenant,
    parts.user,
    parts.alias,
    parts.model.id,
    parts.model.weights,
    parts.fleetVersion,
    parts.tenantVersion,
    policies.defaultSystemPrompt,
    policies.template,
    policies.safety,
  ]);
  let fields = "";
  for (const field of Object.keys(parts.request).sort()) {
    const value = parts.request[field];
    if (value === undefined || keyFields[field] === "delivery" || value === sayNothing.get(field)) continue;
    const name = olderNames.get(field) ?? field;
    // Both are sent only where they are equal (src/shared/wire/chat-rules.ts).
    if (name !== field && parts.request[name] !== undefined) continue;
    const text = orderedFields.has(field) ? JSON.stringify(value) : canonicalJson(value);
    fields += `${fields === "" ? "" : ","}${JSON.stringify(name)}:${text}`;
  }
  return `[${head},{${fields}}]`;
}

/** JSON with sorted keys. `undefined` is left out of objects, as JSON.stringify does. */
function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "" : ","}${canonicalJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    if (item !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `{${text}}`;
}

const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += hexDigits[byte] ?? "";
  return text;
}
