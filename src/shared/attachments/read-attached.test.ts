import { expect, test } from "vitest";
import { err, ok } from "../contracts/result.ts";
import { BoundedMap } from "../isolate/bounded-map.ts";
import { type DocumentReader, DocumentReaderDied, DocumentReaderLate } from "../retrieval/ports.ts";
import { readWhole } from "../retrieval/read-file-text.ts";
import { attachmentBounds } from "./attachment-bounds.ts";
import { type AttachedFile, type AttachedFilesDeps, readAttached, type ReadTexts } from "./read-attached.ts";

const pdf = { file_data: `data:application/pdf;base64,${btoa("%PDF-1.7 x")}`, filename: "a.pdf" };
const place = "messages[0].content[1].file";

function attached(...files: readonly AttachedFile["file"][]): readonly AttachedFile[] {
  return files.map((file) => ({ file, place }));
}

/** A reader that does one thing at each of its calls, in this order; and how it was asked. */
function world(...answers: readonly (() => ReturnType<DocumentReader["read"]>)[]) {
  const asked: boolean[] = [];
  const left = [...answers];
  const documents: DocumentReader = {
    async read(body, bytes, isAlone = false) {
      await readWhole(body, bytes);
      asked.push(isAlone);
      const answer = left.shift();
      if (answer === undefined) throw new Error("asked too often");
      return answer();
    },
  };
  const deps: AttachedFilesDeps = {
    uploaded: async () => err({ kind: "object-unknown" }),
    documents: () => documents,
    now: () => 0,
    remembered: new BoundedMap<string, ReadTexts>({ maxEntries: 8 }),
    tenant: "one",
  };
  return { asked, deps };
}

const told = async () => ok({ text: "One\n\nTwo", kind: "plain", pageStarts: [0, 5] } as const);
const died = async () => Promise.reject(new DocumentReaderDied("died"));
const late = async () => Promise.reject(new DocumentReaderLate("late"));
const away = async () => Promise.reject(new Error("away"));
const text = { filename: "a.pdf", texts: ["One", "Two"], has_pages: true };

test("a document is its pages, and is read once for one tenant, whoever sends it again under that name", async () => {
  const { asked, deps } = world(told, told);
  expect(await readAttached(attached(pdf, pdf), deps)).toEqual(ok([text, text]));
  expect(await readAttached(attached(pdf), deps)).toEqual(ok([text]));
  expect(asked).toEqual([false]);
  expect(await readAttached(attached(pdf), { ...deps, tenant: "two" })).toEqual(ok([text]));
  expect(asked).toHaveLength(2);
});

test("a reader that dies is asked for this document alone; where it dies again, the document is refused, and not read any more", async () => {
  const saved = world(died, told);
  expect(await readAttached(attached(pdf), saved.deps)).toEqual(ok([text]));
  expect(saved.asked).toEqual([false, true]);
  const lost = world(died, died);
  for (let times = 0; times < 2; times += 1)
    expect(await readAttached(attached(pdf), lost.deps)).toMatchObject({
      error: { kind: "value-invalid", param: `${place}.file_data` },
    });
  expect(lost.asked).toEqual([false, true]);
});

test("a document that takes too long is refused with its reason, and may be faster the next time", async () => {
  const { deps } = world(late, told);
  expect(await readAttached(attached(pdf), deps)).toMatchObject({
    error: { kind: "value-invalid", message: expect.stringContaining("took over 30 s") },
  });
  expect(await readAttached(attached(pdf), deps)).toEqual(ok([text]));
});

test("all files of a request share its time: what is left of it is the next one's, and with nothing left none is begun", async () => {
  let nowMs = 0;
  const given: number[] = [];
  const slow = async () => {
    nowMs += 20_000;
    return told();
  };
  const { deps, asked } = world(slow, slow, slow);
  const timed: AttachedFilesDeps = {
    ...deps,
    now: () => nowMs,
    documents: (deadlineMs) => {
      given.push(deadlineMs);
      return deps.documents(deadlineMs);
    },
  };
  const three = ["a.pdf", "b.pdf", "c.pdf"].map((filename) => ({ ...pdf, filename }));
  expect(await readAttached(attached(...three), timed)).toMatchObject({
    error: { kind: "value-invalid", message: expect.stringContaining("took over 30 s") },
  });
  expect([given, asked.length]).toEqual([[30_000, 10_000], 2]);
});

test("the bytes of all files together are bounded before they are opened", async () => {
  const { deps, asked } = world();
  const uploaded = async () =>
    ok({
      filename: "a.txt",
      mediaType: "",
      bytes: attachmentBounds.bytes + 1,
      open: () => Promise.reject(new Error("opened")),
    });
  expect(await readAttached(attached({ file_id: "file-1" }), { ...deps, uploaded })).toMatchObject({
    error: { kind: "value-invalid", param: `${place}.file_id` },
  });
  expect(asked).toEqual([]);
});

test("a reader that can't be had is a fault of ours, and is asked again the next time", async () => {
  const { deps } = world(away, told);
  expect(await readAttached(attached(pdf), deps)).toMatchObject({
    error: { kind: "dependency-unavailable" },
  });
  expect(await readAttached(attached(pdf), deps)).toEqual(ok([text]));
});

test("the text of all files together is bounded, and the one that is too many is named", async () => {
  const half = { file_data: btoa("a".repeat(attachmentBounds.characters / 2)), filename: "a.txt" };
  const one = { file: half, place } as const;
  const two = { file: half, place: "messages[0].content[2].file" } as const;
  const { deps } = world();
  expect(await readAttached([one], deps)).toMatchObject({ ok: true });
  expect(await readAttached([one, two], deps)).toMatchObject({
    error: { kind: "value-invalid", param: "messages[0].content[2].file.file_data" },
  });
});

test("an uploaded file that is unknown is told by the member that names it; one that is known, by its own name", async () => {
  const { deps } = world();
  expect(await readAttached(attached({ file_id: "file-1" }), deps)).toEqual(
    err({ kind: "object-unknown", namedBy: `${place}.file_id` }),
  );
  const bytes = new TextEncoder().encode("Hello");
  const uploaded = async () =>
    ok({ filename: "hello.txt", mediaType: "", bytes: 5, open: async () => ok(new Blob([bytes]).stream()) });
  expect(await readAttached(attached({ file_id: "file-1" }), { ...deps, uploaded })).toEqual(
    ok([{ filename: "hello.txt", texts: ["Hello"], has_pages: false, file_id: "file-1" }]),
  );
});
