/** Which part ended a request early, and why? Two bounded labels from a record; null where the answer came whole. */
import type { Refusal } from "../../contracts/refusal.ts";
import type { Ending, RequestRecord } from "../request-record.ts";
import { keySeparator, overflowValue } from "./metric-series.ts";

/** `component` of each refusal. */
const components: Readonly<Record<Refusal["kind"], string>> = {
  "credential-missing": "identity",
  "credential-invalid": "identity",
  "scope-missing": "identity",
  "signature-invalid": "identity",
  blocked: "firewall",
  "address-limited": "firewall",
  "url-too-long": "firewall",
  "url-invalid": "firewall",
  "headers-too-large": "firewall",
  "route-unknown": "request",
  "method-not-allowed": "request",
  "media-type-unsupported": "request",
  "body-too-large": "request",
  "json-invalid": "request",
  "value-invalid": "request",
  "parameter-unknown": "request",
  "parameter-unsupported": "request",
  "model-unknown": "request",
  "object-unknown": "request",
  "context-too-long": "request",
  limited: "limits",
  "idempotency-reused": "request",
  conflict: "request",
  "not-stored": "request",
  "content-refused": "safety",
  "origin-rejected": "origin",
  "origin-unavailable": "origin",
  overloaded: "origin",
  "deadline-exceeded": "edge",
  // The record says which one.
  "dependency-unavailable": "dependency",
  "client-gone": "client",
  internal: "edge",
};

/** Of what breaks after the first byte, when no refusal can be told any more. `stopped` is how a limit or a guard ends an answer: no error. */
const endings: Readonly<Record<Ending, string | null>> = {
  answered: null,
  stopped: null,
  refused: null,
  "client-gone": "client",
  "origin-error": "origin",
  stalled: "origin",
  deadline: "edge",
};

/** No client's fault: what is told as 5xx, but for an answer that nobody has stored, and what breaks behind the headers. */
export const faultClasses = [
  "internal",
  "dependency-unavailable",
  "origin-unavailable",
  "overloaded",
  "deadline-exceeded",
  "origin-error",
  "stalled",
  "deadline",
] as const satisfies readonly (Refusal["kind"] | Ending)[];

/** The labels of `edgewise_errors_total`, joined. */
export function errorLabels(record: RequestRecord): string | null {
  const { errorKind, ending } = record;
  if (errorKind !== undefined) {
    const component = (components as Readonly<Record<string, string | undefined>>)[errorKind];
    if (component === undefined) return `${overflowValue}${keySeparator}${overflowValue}`;
    return `${record.errorComponent ?? component}${keySeparator}${errorKind}`;
  }
  const component = endings[ending];
  return component === null ? null : `${component}${keySeparator}${ending}`;
}
