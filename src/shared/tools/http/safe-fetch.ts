/**
 * One request to a server elsewhere, and its text: every address judged (target.ts), redirects followed by hand, size bounded while it is
 * read. Time is bounded by the caller's signal. Of a failed response only the status is passed on, never the server's text.
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import { boundedText } from "../../stream/bounded-text.ts";
import type { ToolFault } from "../server-tool.ts";
import { plainJson } from "./plain-json.ts";
import { judgeTarget, type TargetPolicy } from "./target.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Ask {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Kept from every other host than the first. */
  readonly secretHeaders: Readonly<Record<string, SecretHeader>>;
  readonly body: string | null;
}

export interface SecretHeader {
  /** As it is sent. */
  readonly value: string;
  /** Headers of an answer that must not be read. */
  readonly secret: string;
}

export interface AskLimits {
  readonly targets: TargetPolicy;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

const mostRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);

export async function safeFetch(
  fetch: Fetch,
  first: Ask,
  limits: AskLimits,
): Promise<Result<string, ToolFault>> {
  let ask = first;
  for (let followed = 0; ; followed += 1) {
    const judged = judgeTarget(ask.url, limits.targets);
    if (!judged.ok) return err({ kind: "refused", detail: judged.error });
    const sentSecrets = ask.url.origin === first.url.origin ? valuesOf(ask.secretHeaders) : {};
    let response: Response;
    try {
      response = await fetch(ask.url.href, {
        method: ask.method,
        headers: { accept: "application/json, text/*;q=0.8", ...ask.headers, ...sentSecrets },
        redirect: "manual",
        // A cache on the way knows of no secret but `Authorization`: what one tenant's key has opened would be another's by its address.
        cache: "no-store",
        signal: limits.signal,
        ...(ask.body === null ? {} : { body: ask.body }),
      });
    } catch {
      return err(limits.signal.aborted ? { kind: "timeout" } : unreachable);
    }
    if (!redirects.has(response.status)) {
      const text = await textOf(response, limits);
      return text.ok ? ok(withoutSecrets(plainJson(text.value), first.secretHeaders)) : text;
    }
    await letGo(response);
    const next = redirected(ask, response);
    if (next === null || followed === mostRedirects)
      return err({ kind: "unavailable", detail: "the server sends elsewhere without end" });
    ask = next;
  }
}

function valuesOf(headers: Ask["secretHeaders"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value]));
}

/** Some servers say what they were sent: that is not for a model to read. A value so short is no secret, and may be any word. */
function withoutSecrets(text: string, secretHeaders: Ask["secretHeaders"]): string {
  let shown = text;
  for (const { secret } of Object.values(secretHeaders))
    for (const form of formsOf(secret)) shown = shown.replaceAll(form, "[withheld]");
  return shown;
}

/**
 * As it is, as JSON writes it (PHP's with `\/`), as a URL does, and its parts where it has several (a scheme with its credential): longer
 * ones first, since one may hold another.
 */
function formsOf(secret: string): readonly string[] {
  const plain = [secret, ...secret.split(/\s+/)].filter((part) => part.length >= leastSecretCharacters);
  const forms = plain.flatMap((part) => {
    const json = JSON.stringify(part).slice(1, -1);
    return [part, json, json.replaceAll("/", "\\/"), encodeURIComponent(part.toWellFormed())];
  });
  return [...new Set(forms)].toSorted((left, right) => right.length - left.length);
}

const leastSecretCharacters = 6;

const unreachable: ToolFault = { kind: "unavailable", detail: "the server can't be reached" };

/**
 * By the Fetch standard: 303 asks for what came of it, 301 and 302 make a GET of a POST alone. A DELETE that became a GET would seem to have
 * been done. A body leaves its origin by no redirect.
 */
function redirected(ask: Ask, response: Response): Ask | null {
  const location = response.headers.get("location");
  const url = location === null || location.length > 4096 ? null : URL.parse(location, ask.url.href);
  if (url === null) return null;
  const { status } = response;
  const asksForResult = status === 303 || ((status === 301 || status === 302) && ask.method === "POST");
  if (asksForResult && ask.method !== "GET") return { ...ask, url, method: "GET", body: null, headers: {} };
  return ask.body !== null && url.origin !== ask.url.origin ? null : { ...ask, url };
}

async function textOf(
  response: Response,
  { maxBytes, signal }: AskLimits,
): Promise<Result<string, ToolFault>> {
  const isGood = response.status >= 200 && response.status < 300;
  const type = response.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const isText = /^text\/|^application\/(?:json|xml|javascript)$|^application\/[\w.+-]+\+(?:json|xml)$/.test(
    type,
  );
  const hasBody = response.body !== null && response.status !== 204;
  if (!isGood || (hasBody && !isText) || Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    await letGo(response);
    if (!isGood)
      return err({ kind: "unavailable", detail: `the server answered with status ${response.status}` });
    return err(
      isText ? tooLarge(maxBytes) : { kind: "unavailable", detail: "the server answered with no text" },
    );
  }
  if (response.body === null) return ok("");
  try {
    const text = await boundedText(response.body, maxBytes, decoderOf(response));
    return text === null ? err(tooLarge(maxBytes)) : ok(text);
  } catch {
    return err(signal.aborted ? { kind: "timeout" } : unreachable);
  }
}

function decoderOf({ headers }: Response): TextDecoder {
  const charset = /;\s*charset="?([\w.:-]{1,40})/i.exec(headers.get("content-type") ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset);
  } catch {
    // An unknown charset is most likely UTF-8.
    return new TextDecoder();
  }
}

function tooLarge(maxBytes: number): ToolFault {
  return { kind: "too-large", detail: `${maxBytes} bytes are allowed` };
}

/** So that its connection is free. One that is broken already has nothing to let go. */
async function letGo(response: Response): Promise<void> {
  await response.body?.cancel("not wanted").catch(() => undefined);
}
