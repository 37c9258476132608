/**
 * Why a request ends without the answer it asked for: the internal reason, rich, for the log. What the client is told
 * is decided in one place, src/shared/wire/errors.ts. Nothing here holds content or secrets.
 */
export type Refusal =
  | { readonly kind: "credential-missing" }
  /** `form`: the header is not of the form `Bearer <credential>`. `unset`: what stands there is a variable that was never filled in. */
  | {
      readonly kind: "credential-invalid";
      readonly credential: "token" | "key" | "form" | "unset";
      readonly detail: string;
    }
  /** One scope, or several set apart by blanks, any of which would do; `tenant`: any tenant's credential would. */
  | { readonly kind: "scope-missing"; readonly scope: string }
  /** The tenant asks for signed requests, and this one's signature is missing or wrong (src/shared/signing). */
  | { readonly kind: "signature-invalid"; readonly detail: string }
  /** The firewall said no. `rule` is for the log: a client that knew it would go around it. */
  | { readonly kind: "blocked"; readonly rule: string }
  /** One address asks too often, or with too many wrong credentials. */
  | { readonly kind: "address-limited"; readonly retryAfterMs: number }
  | { readonly kind: "url-too-long"; readonly maxCharacters: number }
  | { readonly kind: "url-invalid"; readonly detail: string }
  | { readonly kind: "headers-too-large"; readonly maxCharacters: number; readonly maxHeaders: number }
  /** `meant`: a route that there is, where the path differs from it as base URLs do that were written wrongly */
  /** `instead`: what to use in place of a route of OpenAI's that is not offered (src/shared/wire/routes-not-offered.ts) */
  | { readonly kind: "route-unknown"; readonly meant?: string; readonly instead?: string }
  /** `upgrade`: the route takes the method for that protocol alone. */
  | {
      readonly kind: "method-not-allowed";
      readonly allow: readonly string[];
      readonly upgrade?: "websocket";
    }
  /** `wanted`: what the route takes, where that is not JSON. */
  | { readonly kind: "media-type-unsupported"; readonly wanted?: "form" }
  /** `what`: absent: the body as a whole. */
  | { readonly kind: "body-too-large"; readonly maxBytes: number; readonly what?: "file" | "part" }
  /** `isEmpty`: nothing was sent, or blanks alone. */
  | { readonly kind: "json-invalid"; readonly isEmpty?: true }
  | { readonly kind: "value-invalid"; readonly param: string | null; readonly message: string }
  /** `meant`: the known one whose name it nearly has. */
  | { readonly kind: "parameter-unknown"; readonly param: string; readonly meant?: string }
  | { readonly kind: "parameter-unsupported"; readonly param: string; readonly message: string }
  | { readonly kind: "model-unknown"; readonly model: string }
  /** `namedBy`: the field of the body; without one, the URL names it. */
  | { readonly kind: "object-unknown"; readonly namedBy?: ObjectField }
  | {
      readonly kind: "context-too-long";
      /** The field that is too long, as the route calls it; absent: `messages`. */
      readonly promptField?: PromptField;
      readonly windowTokens: number;
      readonly promptTokens: number;
      readonly answerTokens: number;
    }
  | { readonly kind: "limited"; readonly limit: LimitRefusal }
  | { readonly kind: "idempotency-reused" }
  | { readonly kind: "conflict"; readonly message: string }
  /** The client wants a stored answer or none (`only-if-cached`), and there is none. */
  | { readonly kind: "not-stored" }
  /** `param`: the field of the body that was refused, where it is known. */
  | { readonly kind: "content-refused"; readonly categories: readonly string[]; readonly param?: string }
  /** The engine called the request itself wrong (its 400 or 422). Its own text goes to the log, never to the wire. */
  | {
      readonly kind: "origin-rejected";
      readonly status: number;
      readonly detail: string;
      /** The field that it is about, where the engine's words tell. */
      readonly param?: string;
    }
  | { readonly kind: "origin-unavailable"; readonly retryAfterMs: number; readonly detail: string }
  | { readonly kind: "overloaded"; readonly retryAfterMs: number }
  /** The answer that its client waits for took longer than `requests.deadline_seconds`: the next one would, too. */
  | { readonly kind: "deadline-exceeded" }
  | {
      readonly kind: "dependency-unavailable";
      readonly component: string;
      readonly retryAfterMs: number;
      readonly detail: string;
    }
  | { readonly kind: "client-gone" }
  | { readonly kind: "internal"; readonly detail: string };

/** What a route calls the prompt: chats `messages`, responses and embeddings `input`, plain completions `prompt`. */
export type PromptField = "messages" | "input" | "prompt";

/** The stages and the engines know a chat: a refusal of theirs in the words of another route. */
export function withPromptField(refusal: Refusal, promptField: PromptField): Refusal {
  return refusal.kind === "context-too-long" ? { ...refusal, promptField } : refusal;
}

/** The fields of a body that name an object of the caller's own. */
export type ObjectField =
  | "conversation_id"
  | "conversation"
  | "previous_response_id"
  | `input[${number}].id`
  | "file_id"
  | `part_ids[${number}]`
  | `messages[${number}].content[${number}].file.file_id`
  | `${"input" | "items"}[${number}].content[${number}].file_id`
  | "file_ids"
  | "files"
  | "input_file_id"
  | "vector_store_id"
  | StoreField
  | `tools[${number}].${StorePlace}`;
/** Of a chat; a response names its stores in a tool. */
export type StoreField = `retrieval.${StorePlace}`;
type StorePlace = `vector_store_ids[${number}]`;

/** @param namedBy `undefined`: the body names none. What is said already stays. */
export function withObjectField(refusal: Refusal, namedBy: ObjectField | undefined): Refusal {
  return refusal.kind === "object-unknown" && refusal.namedBy === undefined && namedBy !== undefined
    ? { ...refusal, namedBy }
    : refusal;
}

/** Which limit of which scope said no, and what would fit. */
export interface LimitRefusal {
  /** Whose limit it is: the user's, the org's, or the API key's own. */
  readonly scope: "user" | "org" | "key";
  /** The limit's name in the table of defaults, e.g. `requests_per_hour`. */
  readonly limit: string;
  /** What capacity and remainder count; a slot is a request that runs. */
  readonly unit: "requests" | "tokens" | "slots" | "microdollars";
  /** `rate`: refills within an hour; `quota`: hourly or longer allowance that OpenAI calls `insufficient_quota`. */
  readonly class: "rate" | "quota";
  readonly capacity: number;
  readonly remaining: number;
  /** Until the same request would be admitted, in milliseconds. */
  readonly retryAfterMs: number;
  /** Until the limit is whole again, in milliseconds. */
  readonly resetMs: number;
  /** The largest `max_tokens` that would be admitted now; 0 where none would. */
  readonly largestMaxTokens: number;
}
