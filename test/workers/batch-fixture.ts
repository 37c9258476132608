/** Batches as a client sees them, inside workerd. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { parseExposition } from "../../src/shared/telemetry/metrics/parse-exposition-fixture.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { platformToken } from "./admin-fixture.ts";
import { send } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import type { Answer, Caller } from "./knowledge-fixture.ts";

export interface ShownBatch {
  readonly id: string;
  readonly status: string;
  readonly model?: string;
  readonly errors: {
    readonly data: readonly { code: string; line: number | null; param: string | null }[];
  } | null;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

export interface ResultLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    readonly body: Record<string, unknown>;
  } | null;
  readonly error: { readonly code: string } | null;
}

export function chatLine(customId: string, content: string, more: object = {}): string {
  const body = { model: "auto", max_tokens: 50, messages: [{ role: "user", content }], ...more };
  return JSON.stringify({ custom_id: customId, method: "POST", url: "/v1/chat/completions", body });
}

export async function askForBatch(
  caller: Caller,
  lines: readonly string[],
  more: object = {},
): Promise<Answer> {
  const input = await caller.upload("in.jsonl", lines.join("\n"), { purpose: "batch" });
  return caller.ask("POST", "/v1/batches", {
    input_file_id: input,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
    ...more,
  });
}

/** @returns its id */
export async function startBatch(
  caller: Caller,
  lines: readonly string[],
  more: object = {},
): Promise<string> {
  const made = await askForBatch(caller, lines, more);
  expect(made).toMatchObject({ status: 200, body: { object: "batch", status: "validating" } });
  return made.body.id;
}

export async function batchOf(caller: Caller, id: string): Promise<ShownBatch> {
  const shown = await caller.ask("GET", `/v1/batches/${id}`);
  expect(shown.status).toBe(200);
  // What never came to be is absent.
  const absent = { errors: null, output_file_id: null, error_file_id: null };
  return { ...absent, ...shown.body } as unknown as ShownBatch;
}

export function untilStatus(caller: Caller, id: string, status: string): Promise<ShownBatch> {
  return eventually(async () => {
    const batch = await batchOf(caller, id);
    expect(batch.status).toBe(status);
    return batch;
  });
}

/** The lines of one of its files; none where there is no such file. */
export async function resultsOf(caller: Caller, fileId: string | null): Promise<ResultLine[]> {
  if (fileId === null) return [];
  const content = await caller.send(`/v1/files/${fileId}/content`);
  expect(content.status).toBe(200);
  const text = await content.text();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ResultLine);
}

/** Of all batches so far, as operators see them. */
export const batchLinesBy = (): Promise<(result: string) => number> =>
  countedBy("edgewise_batch_lines_total");
export const batchesBy = (): Promise<(result: string) => number> => countedBy("edgewise_batches_total");

/** A counter by its `result`, as operators see it. */
export async function countedBy(metric: string): Promise<(result: string) => number> {
  const authorization = `Bearer ${await platformToken("platform:metrics")}`;
  const scraped = await send("/metrics", { headers: { authorization } });
  expect(scraped.status).toBe(200);
  const exposition = parseExposition(await scraped.text());
  return (result) => exposition.sum(metric, { result });
}

export function batchStub(id: string) {
  return env.BATCH.getByName(objectOfId(id)?.objectName ?? "");
}
