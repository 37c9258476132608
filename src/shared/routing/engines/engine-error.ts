/**
 * What does an engine's error say? Reads the bodies of vLLM (both shapes), FastAPI and OpenAI-like servers, and turns status
 * and body into what the router does about it. Engines' texts can echo the prompt: only a redacted form leaves this file.
 */

import { engineWords } from "./engine-words.ts";
import { isRecord } from "../../wire/is-record.ts";
import { engineAdapter, type WindowFault } from "./engine.ts";
import type { EngineKind } from "./engine-kind.ts";
import type { OriginPath } from "../ports.ts";

/** What a failed or refused attempt means. */
export type EngineVerdict =
  /** The request itself is wrong: no replica will take it. */
  | { readonly kind: "rejected"; readonly status: number; readonly detail: string }
  | ({ readonly kind: "context-too-long" } & WindowFault)
  /** This replica has no such model, or no such route: another may. */
  | { readonly kind: "lacking"; readonly detail: string }
  /** Alive, but not now. */
  | { readonly kind: "busy"; readonly retryAfterMs: number | null; readonly detail: string }
  /** This replica's fault: another may do. */
  | { readonly kind: "failed"; readonly detail: string };

/** Error bodies are read up to here. */
export const maxErrorBytes = 16_384;

/** The verdict on a status that is no success, or on an error that came under HTTP 200 (`status` 200). */
export function judge(
  status: number,
  retryAfter: string | null,
  body: string,
  nowMs: number,
  engine: EngineKind = "vllm",
  path: OriginPath = "/v1/chat/completions",
): EngineVerdict {
  const error = readError(body);
  const effective = status >= 200 && status < 300 ? (error?.code ?? 500) : status;
  const detail = describe(effective, error);
  if (effective === 404 && (lacks(error, path) || isPage(body))) return { kind: "lacking", detail };
  switch (effective) {
    case 400:
    case 404:
    case 413:
    case 422: {
      const fault = engineAdapter(engine).readWindowFault(error?.message ?? "");
      return fault === null
        ? { kind: "rejected", status: effective, detail }
        : { kind: "context-too-long", ...fault };
    }
    case 429:
      return { kind: "busy", retryAfterMs: readRetryAfter(retryAfter, nowMs), detail };
    default:
      return { kind: "failed", detail };
  }
}

/**
 * The model's name comes from the fleet file and the path from us: if a server does not know one of them, the request is not at fault. But
 * not every server has every route besides chats, and a model may not suit a route: then no other replica will do.
 */
function lacks(error: EngineError | null, path: OriginPath): boolean {
  if (path === "/v1/chat/completions") return true;
  if (error === null) return false;
  return (
    error.type === "NotFoundError" ||
    error.hasNoModel ||
    /\bmodel\b.{0,300}\b(?:does not exist|not found)\b/is.test(error.message.slice(0, 1000))
  );
}

/** A web page: a proxy or the end of a tunnel answers there, not an engine. */
function isPage(body: string): boolean {
  return body.trimStart().startsWith("<");
}

/** Does a body or an event stream begin with an error instead of an answer? Looks at the first 256 bytes. */
export function beginsWithError(beginning: Uint8Array): boolean {
  // An answer's first event is far likelier: leave by two bytes where it begins like every chunk of vLLM's (`data: {"id"`).
  // The same for a whole answer (`{"id"`).
  const at = beginning[0] === 0x7b ? 1 : 7;
  if (beginning[at] === 0x22 && beginning[at + 1] === 0x69) return false;
  return errorBeginning.test(new TextDecoder().decode(beginning.subarray(0, errorBeginningCharacters)));
}

/** The same of a whole answer that was read as text. */
export function isErrorText(answer: string): boolean {
  return !answer.startsWith('{"i') && errorBeginning.test(answer.slice(0, errorBeginningCharacters));
}

/**
 * Is what should be one JSON object cut short, or something else (a proxy's page)? Looks at its ends alone: what is wrong inside it
 * is found when it is read.
 */
export function isBrokenText(answer: string): boolean {
  return !answer.trimStart().startsWith("{") || !answer.trimEnd().endsWith("}");
}

/** The same of a whole answer that was read as bytes. */
export function isBrokenWhole(answer: Uint8Array): boolean {
  return answer.find(isShown) !== openingBrace || answer.findLast(isShown) !== closingBrace;
}

const openingBrace = 0x7b;
const closingBrace = 0x7d;
const isShown = (byte: number): boolean => byte > 0x20;

const errorBeginningCharacters = 256;
const errorBeginning =
  /^(?::[^\n]*\n|event:[^\n]*\n|\s)*(?:data:\s*)?\{\s*"(?:error"\s*:\s*[{"]|object"\s*:\s*"error")/;

/** How an event stream can begin: `data`, `event`, `id`, `retry`, a comment, a blank line. */
const streamOpeners: ReadonlySet<number> = new Set(new TextEncoder().encode("deir:\r\n"));
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const openingD = 0x64;
/** The last of a chunk's object, and of `[DONE]`. */
const closers: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/**
 * Does what should be an event stream begin as something else (a proxy's page), or with a chunk that was cut? Looks at the
 * ends of the first line alone: what is wrong inside it is found when it is read, after the first byte.
 */
export function beginsBroken(beginning: Uint8Array): boolean {
  const first = beginning[0];
  if (first === undefined || !streamOpeners.has(first)) return true;
  if (first !== openingD) return false;
  const end = beginning.indexOf(lineFeed);
  // Not all of the line is here yet.
  if (end === -1) return false;
  const last = beginning[beginning[end - 1] === carriageReturn ? end - 2 : end - 1];
  return last === undefined || !closers.has(last);
}

interface EngineError {
  readonly message: string;
  readonly type: string | null;
  readonly code: number | null;
  /** OpenAI's own code for it. */
  readonly hasNoModel: boolean;
}

function readError(body: string): EngineError | null {
  const parsed = parseJson(body) ?? parseJson(firstData(body));
  if (!isRecord(parsed)) return null;
  const error = isRecord(parsed["error"]) ? parsed["error"] : parsed;
  const message = error["message"] ?? parsed["error"] ?? parsed["detail"];
  const code = Number(error["code"]);
  return {
    message: typeof message === "string" ? message : "",
    type: typeof error["type"] === "string" ? error["type"] : null,
    code: Number.isInteger(code) && code >= 300 && code <= 599 ? code : null,
    hasNoModel: error["code"] === "model_not_found",
  };
}

function firstData(body: string): string {
  return /^data:[ ]?(.*)$/m.exec(body)?.[1] ?? "";
}

function parseJson(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is an expected form of an error body (proxies send HTML): the caller goes by the status.
    return null;
  }
}

/** Keeps the engine's own words and drops what it may quote of the request: quoted text, and all from a bracket on. */
function describe(status: number, error: EngineError | null): string {
  if (error === null) return `status ${status}`;
  return `status ${status}${error.type === null ? "" : ` ${error.type.slice(0, 64)}`}: ${engineWords(error.message)}`;
}

/** RFC 9110 section 10.2.3: seconds, or an HTTP date. */
function readRetryAfter(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
