import * as fc from "fast-check";
import { expect, test } from "vitest";
import { boundaryOf, MultipartReader, type PartHead } from "./multipart.ts";

/** A stream of `bytes` in pieces that end at `cuts`. */
function inPieces(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (left, right) => left - right,
  );
  return new ReadableStream({
    start(controller) {
      for (const [at, edge] of edges.entries())
        if (at > 0) controller.enqueue(bytes.slice(edges[at - 1], edge));
      controller.close();
    },
  });
}

async function readAll(body: ReadableStream<Uint8Array>, boundary: string) {
  const reader = new MultipartReader(body, boundary, 100_000);
  const parts: { head: PartHead; bytes: number[] }[] = [];
  for (;;) {
    const next = await reader.next();
    if (next.kind !== "part") return { parts, ended: next.kind };
    const bytes: number[] = [];
    for (let piece = await reader.read(); piece !== null; piece = await reader.read()) bytes.push(...piece);
    parts.push({ head: next.head, bytes });
  }
}

/** A browser writes a quote as `%22` and leaves `%22` unchanged, so the two can't be told apart; line ends likewise. */
const unwritable = /[\\\r\n]|%22|%0[AD]/i;

test("reads what fetch writes, however the bytes are cut, also where contents look like boundaries", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          name: fc.string({ minLength: 1, maxLength: 12 }).filter((name) => !unwritable.test(name)),
          filename: fc.option(fc.constantFrom("a.txt", 'quo"te.md', "Größe 日本.txt"), { nil: undefined }),
          text: fc.constantFrom("", "hello", "\r\n--", "--x\r\n\r\n", "\r\n\r\n--\r", "a\r\nb".repeat(40)),
        }),
        { maxLength: 5 },
      ),
      fc.array(fc.nat(), { maxLength: 12 }),
      async (fields, cuts) => {
        const form = new FormData();
        for (const { name, filename, text } of fields)
          if (filename === undefined) form.append(name, text);
          else form.append(name, new File([text], filename, { type: "text/markdown" }));
        const written = new Response(form);
        const boundary = boundaryOf(written.headers.get("content-type") ?? "");
        const bytes = new Uint8Array(await written.arrayBuffer());
        const { parts, ended } = await readAll(inPieces(bytes, cuts), boundary ?? "");
        expect(ended).toBe("end");
        expect(parts.map(({ head }) => [head.name, head.filename, head.mediaType])).toEqual(
          fields.map(({ name, filename }) => [name, filename, filename === undefined ? "" : "text/markdown"]),
        );
        // Forms convert line ends of plain fields to CR LF; files stay unchanged.
        for (const [at, { filename, text }] of fields.entries())
          if (filename !== undefined)
            expect(new TextDecoder().decode(Uint8Array.from(parts[at]?.bytes ?? []))).toBe(text);
      },
    ),
  );
});

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test.for([
  ["nothing", ""],
  ["no last boundary", '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue'],
  ["no name", "--b\r\nContent-Type: text/plain\r\n\r\nvalue\r\n--b--"],
  ["endless headers", `--b\r\nX: ${"y".repeat(9000)}\r\n\r\n\r\n--b--`],
  ["a boundary alone", "--b"],
] as const)("a body that is no form is said to be none: %s", async ([, text]) => {
  expect((await readAll(inPieces(encode(text), []), "b")).ended).toBe("malformed");
});

test("quoted text is never taken for another parameter", async () => {
  const head = 'form-data; filename="a; name=purpose; filename*=utf-8\'\'evil.md"; name="file"; name="other"';
  const text = `--b\r\nContent-Disposition: ${head}\r\n\r\nvalue\r\n--b--`;
  const { parts } = await readAll(inPieces(encode(text), []), "b");
  expect(parts[0]?.head).toEqual({
    name: "file",
    filename: "a; name=purpose; filename*=utf-8''evil.md",
    mediaType: "",
  });
});

test("other ways to write names and boundaries are understood", async () => {
  expect(boundaryOf('multipart/form-data; charset=utf-8; boundary="a b"')).toBe("a b");
  expect(boundaryOf("multipart/form-data; boundary=----x; charset=utf-8")).toBe("----x");
  expect(boundaryOf("multipart/form-data")).toBeNull();
  expect(boundaryOf("application/json; boundary=x")).toBeNull();
  expect(boundaryOf(`multipart/form-data; boundary=${"x".repeat(71)}`)).toBeNull();
  const text =
    "preamble\r\n--b \t\r\ncontent-disposition: form-data; filename=\"x\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt; name=file\r\n\r\n1\r\n--b--\r\nepilogue";
  const { parts } = await readAll(inPieces(encode(text), [3, 30]), "b");
  expect(parts).toEqual([{ head: { name: "file", filename: "grüße.txt", mediaType: "" }, bytes: [49] }]);
});

test("an endless body is read only up to its bound", async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(10_000).fill(120));
    },
  });
  expect((await readAll(endless, "b")).ended).toBe("malformed");
  expect(pulled).toBeLessThan(15);
});
