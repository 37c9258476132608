/** Which part ended a request early, and why? Two bounded labels from a record; null if the answer was complete. */
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
  // The record names the dependency.
  "dependency-unavailable": "dependency",
  "client-gone": "client",
  internal: "edge",
};

/** For answers that break after the first byte, when no refusal can be sent. `stopped`: a limit or a guard ended the answer, which is no error. */
const endings: Readonly<Record<Ending, string | null>> = {
  answered: null,
  stopped: null,
  refused: null,
  "client-gone": "client",
  "origin-error": "origin",
  stalled: "origin",
  deadline: "edge",
};

/** Classes that are not the client's fault: errors sent as 5xx (except a missing stored answer), and answers that break after the headers. */
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
