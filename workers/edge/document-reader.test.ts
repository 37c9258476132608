import { expect, test } from "vitest";
import { DocumentReaderDied } from "../../src/shared/retrieval/ports.ts";
import {
  documentAloneHeader,
  documentBytesHeader,
  documentReaderHeader,
  mostAnswerBytes,
} from "../../src/shared/contracts/document-reading.ts";
import { documentReader } from "./document-reader.ts";

type Answer = (request: Request) => Response | Promise<Response>;

function readerOf(answer: Answer, environment: "local" | "production" = "production") {
  const reader = documentReader({
    ENVIRONMENT: environment,
    DOCUMENT_READER: {
      fetch: (url: string, init: RequestInit) => Promise.resolve(answer(new Request(url, init))),
    } as unknown as Fetcher,
  });
  if (reader === null) throw new Error("it is bound");
  return (isAlone?: boolean) => reader.read(new Response("bytes").body ?? new ReadableStream(), 5, isAlone);
}

function json(value: unknown, headers: Record<string, string> = { [documentReaderHeader]: "1" }): Response {
  return Response.json(value, { headers });
}

test("nothing is bound: there is no reader", () => {
  expect(documentReader({ ENVIRONMENT: "local" })).toBeNull();
});

test("the bytes go through, with their number, and the text comes back with its pages", async () => {
  const seen: unknown[] = [];
  const read = readerOf(async (request) => {
    seen.push(request.method, request.headers.get(documentBytesHeader), await request.text());
    return json({ result: "text", text: "ab", kind: "plain", page_starts: [0, 1], newer: true });
  });
  expect(await read()).toEqual({ ok: true, value: { text: "ab", kind: "plain", pageStarts: [0, 1] } });
  expect(seen).toEqual(["POST", "5", "bytes"]);
});

test("a reason comes back as it is", async () => {
  const read = readerOf(() => json({ result: "refused", code: "invalid_file", message: "why" }));
  expect(await read()).toEqual({ ok: false, error: { code: "invalid_file", message: "why" } });
});

test.each<readonly [string, Answer]>([
  ["is busy", () => new Response(null, { status: 503, headers: { [documentReaderHeader]: "1" } })],
  [
    "is of another version",
    () => new Response(null, { status: 404, headers: { [documentReaderHeader]: "1" } }),
  ],
  ["is not there", () => new Response("not found", { status: 503 })],
  ["is somebody else", () => json({ result: "text", text: "a", kind: "plain" }, {})],
  ["speaks no JSON", () => new Response("{", { headers: { [documentReaderHeader]: "1" } })],
  ["says something else", () => json({ result: "text", text: 1 })],
  ["never stops", () => endless()],
  ["died over it", () => Promise.reject(new Error("exceeded"))],
])("a reader that %s throws: another try may go well", async (_, answer) => {
  await expect(readerOf(answer)()).rejects.toThrow();
});

test("one that dies in the middle of the reading is told from one that can't be had", async () => {
  const dying = new ReadableStream({
    pull: (body) => body.error(new Error("Worker exceeded memory limit.")),
  });
  const died = readerOf(() => new Response(dying, { headers: { [documentReaderHeader]: "1" } }));
  await expect(died()).rejects.toThrow(DocumentReaderDied);
  for (const answer of [
    () => Promise.reject(new Error("exceeded")),
    () => endless(),
    () => json({ result: "fault" }),
    () => new Response(null, { status: 503, headers: { [documentReaderHeader]: "1" } }),
  ] satisfies Answer[])
    await expect(readerOf(answer)()).rejects.not.toThrow(DocumentReaderDied);
});

test("that a document is to be read alone is said to the reader", async () => {
  const seen: unknown[] = [];
  const read = readerOf((request) => {
    seen.push(request.headers.get(documentAloneHeader));
    return json({ result: "text", text: "a", kind: "plain" });
  });
  await read();
  await read(true);
  expect(seen).toEqual([null, "1"]);
});

test("locally, where what is bound to does not run, nobody reads", async () => {
  expect(await readerOf(() => new Response("not found", { status: 503 }), "local")()).toBeNull();
  const busy = () => new Response(null, { status: 503, headers: { [documentReaderHeader]: "1" } });
  await expect(readerOf(busy, "local")()).rejects.toThrow("503");
});

function endless(): Response {
  let told = 0;
  const piece = new TextEncoder().encode(" ".repeat(1_048_576));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      told += piece.byteLength;
      // Had nobody stopped it by then, the test would see the stream end.
      if (told > 2 * mostAnswerBytes) controller.close();
      else controller.enqueue(piece);
    },
  });
  return new Response(body, { headers: { [documentReaderHeader]: "1" } });
}
