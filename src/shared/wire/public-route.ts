/** What does an entry of the route table (routes.ts) contain? */
import type { ComponentName } from "./routes.ts";

export interface PublicRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** OpenAPI's form: parameters in braces. */
  readonly path: string;
  readonly tag:
    | "Chat"
    | "Responses"
    | "Conversations"
    | "Knowledge"
    | "Batches"
    | "Models"
    | "Account"
    | "Admin"
    | "Service";
  readonly summary: string;
  readonly description?: string;
  /** Any one of these scopes suffices; empty: any credential of a tenant; null: no credential is needed. */
  readonly scopes: readonly string[] | null;
  readonly request?: {
    readonly schema: ComponentName;
    readonly example: unknown;
    /** Absent: JSON. */
    readonly mediaType?: "multipart/form-data";
  };
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly queryParameters?: Readonly<Record<string, string>>;
  readonly headers?: readonly RequestHeader[];
  readonly success: {
    readonly description: string;
    /** By media type; null: not JSON, no schema. */
    readonly content: Readonly<Record<string, ComponentName | null>>;
  };
  /** Statuses of its possible errors, besides 500. */
  readonly errors: readonly ErrorStatus[];
  /** The schema of its errors, if it is not OpenAI's. */
  readonly errorSchema?: ComponentName;
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 408 | 409 | 413 | 415 | 422 | 429 | 503 | 504;
export type RequestHeader =
  | "x-request-id"
  | "traceparent"
  | "Cache-Control"
  | "Idempotency-Key"
  | "Last-Event-ID";

export const everyCall: readonly ErrorStatus[] = [401, 403, 429, 503];
export const everyBody: readonly ErrorStatus[] = [400, 404, 413, 415, ...everyCall];
export const correlation: readonly RequestHeader[] = ["x-request-id", "traceparent"];
