/** What only reads: every route of it, with queries that belong there and others. */
import * as fc from "fast-check";
import type { CallTargets, GeneratedCall } from "./arbitrary-call.ts";

const queryNames = [
  "limit",
  "after",
  "before",
  "order",
  "from",
  "until",
  "group_by",
  "org",
  "model",
  "tenant",
  "user",
] as const;
const moreQueryNames = [
  "tier",
  "metadata[k]",
  "metadata",
  "include[]",
  "purpose",
  "filter",
  "branch",
  "stream",
];
const queryValue = fc.oneof(
  fc.constantFrom("", "0", "1", "-1", "100", "1e9", "asc", "desc", "true", "null", "undefined", "2026-13-01"),
  fc.constantFrom(
    "2026-11-01",
    "2026-12-01",
    "date,org,model",
    "date,,org",
    "demo",
    "W10",
    "%00",
    "completed",
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);

export function arbitraryRead(targets: CallTargets): fc.Arbitrary<GeneratedCall> {
  const { store, file, conversation, response: answer, completion: chat } = targets;
  const paths: readonly (readonly [string, GeneratedCall["as"]])[] = [
    ["/v1/chat/completions", "user"],
    [`/v1/chat/completions/${chat}`, "user"],
    [`/v1/chat/completions/${chat}/messages`, "user"],
    [`/v1/responses/${answer}`, "user"],
    [`/v1/responses/${answer}/input_items`, "user"],
    ["/v1/conversations", "user"],
    ["/v1/conversation_deletions", "user"],
    [`/v1/conversations/${conversation}/items`, "user"],
    [`/v1/conversations/${conversation}/branches`, "user"],
    ["/v1/files", "user"],
    [`/v1/files/${file}`, "user"],
    ["/v1/vector_stores", "user"],
    [`/v1/vector_stores/${store}/files`, "user"],
    [`/v1/vector_stores/${store}/files/${file}/content`, "user"],
    ["/v1/models", "user"],
    ["/v1/usage", "user"],
    ["/admin/usage", "admin"],
    ["/admin/limits", "admin"],
    ["/admin/keys", "admin"],
    ["/admin/audit", "admin"],
    ["/admin/usage", "platform"],
    ["/admin/tenants", "platform"],
    ["/admin/fleet", "platform"],
  ];
  const query = fc.array(fc.tuple(fc.constantFrom(...queryNames, ...moreQueryNames), queryValue), {
    maxLength: 3,
  });
  return fc.tuple(fc.constantFrom(...paths), query).map(([[path, as], pairs]) => ({
    method: "GET" as const,
    path: pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`,
    text: null,
    contentType: "",
    as,
    intent: "broken" as const,
  }));
}
