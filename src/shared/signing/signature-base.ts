/**
 * What exactly is signed (RFC 9421, 2.5)? One line a covered component, then the list of components with its parameters.
 * Components that need a field to be re-serialised (`sf`, `key`, `bs`), or another message (`req`, `tr`), are not covered.
 */
import { serializeItem, serializeList, type Item, type Parameters } from "./structured-fields.ts";

/** A message as its signature sees it. */
export interface SignedMessage {
  /** Of a request. */
  readonly method?: string;
  /** Of a request: absolute, as it was sent. */
  readonly url?: string;
  /** Of a response. */
  readonly status?: number;
  /** By lower-case name; fields of one name joined by a comma and a blank. Null: there is none. */
  field(name: string): string | null;
}

/** `@query-param` is the one component of ours with a parameter. */
export interface CoveredList {
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

/** Null where a component is unknown here, missing from the message, or named twice (RFC 9421, 2.5). */
export function signatureBase(message: SignedMessage, covered: CoveredList): string | null {
  const seen = new Set<string>();
  let base = "";
  for (const item of covered.items) {
    const identifier = serializeItem(item);
    const value = componentValue(message, item);
    if (value === null || seen.has(identifier)) return null;
    seen.add(identifier);
    base += `${identifier}: ${value}\n`;
  }
  return `${base}"@signature-params": ${serializeList(covered.items, covered.parameters)}`;
}

function componentValue(message: SignedMessage, { value, parameters }: Item): string | null {
  if (value.type !== "string") return null;
  const name = value.value;
  if (name === "@query-param") return queryParameter(message, parameters);
  if (parameters.size > 0) return null;
  if (name.startsWith("@")) return derived(message, name);
  if (name !== name.toLowerCase()) return null;
  const field = message.field(name);
  // A line break inside of a value would forge a line of the base.
  return field === null || /[\r\n]/.test(field) ? null : field.trim();
}

/** RFC 9421, 2.2. The path and query are taken as they were sent: parsing might repair them. */
function derived({ method, url, status }: SignedMessage, name: string): string | null {
  if (name === "@status") return status === undefined ? null : String(status);
  if (name === "@method") return method ?? null;
  if (url === undefined) return null;
  const scheme = url.indexOf("://");
  if (scheme < 0) return null;
  const slash = url.indexOf("/", scheme + 3);
  const target = slash < 0 ? "/" : (url.slice(slash).split("#", 1)[0] ?? "/");
  const question = target.indexOf("?");
  switch (name) {
    case "@authority":
      return URL.parse(url)?.host.toLowerCase() ?? null;
    case "@scheme":
      return url.slice(0, scheme).toLowerCase();
    case "@target-uri":
      return url;
    case "@request-target":
      return target;
    case "@path":
      return question < 0 ? target : target.slice(0, question);
    case "@query":
      return question < 0 ? "?" : target.slice(question);
    default:
      return null;
  }
}

/** RFC 9421, 2.2.8: a name that stands twice can't be covered. */
function queryParameter({ url }: SignedMessage, parameters: Parameters): string | null {
  const name = parameters.get("name");
  if (url === undefined || parameters.size !== 1 || name?.type !== "string") return null;
  const values = URL.parse(url)?.searchParams.getAll(decodeFormText(name.value)) ?? [];
  const [value] = values;
  return values.length === 1 && value !== undefined ? encodeFormText(value) : null;
}

function decodeFormText(text: string): string {
  return new URLSearchParams(`n=${text}`).get("n") ?? text;
}

/** `application/x-www-form-urlencoded`, but a blank is %20 (RFC 9421, 2.2.8). */
function encodeFormText(text: string): string {
  return new URLSearchParams({ n: text }).toString().slice(2).replaceAll("+", "%20");
}
