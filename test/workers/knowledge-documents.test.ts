/** PDF and Office files as a client sees them: uploaded, read by the reader of documents, found with their pages. */
import { beforeAll, expect, test } from "vitest";
import { putTenant } from "./edge-under-test.ts";
import { callerOf, processed, type Caller } from "./knowledge-fixture.ts";
import {
  inlineRows,
  makeDocx,
  makePdf,
  makePptx,
  makeXlsx,
  pdfLines,
  shape,
  word,
} from "./make-documents.ts";

async function storeOf(caller: Caller, ids: readonly string[], more: object = {}): Promise<string> {
  const store = await caller.ask("POST", "/v1/vector_stores", {});
  const path = `/v1/vector_stores/${store.body.id}`;
  for (const id of ids) await caller.ask("POST", `${path}/files`, { file_id: id, ...more });
  await processed(caller, store.body.id);
  return path;
}

interface Found {
  readonly filename: string;
  readonly attributes: Record<string, unknown>;
  readonly content: readonly { readonly text: string }[];
}

async function best(caller: Caller, path: string, query: string): Promise<Found | undefined> {
  const answer = await caller.ask("POST", `${path}/search`, { query });
  return (answer.body["data"] as Found[])[0];
}

/** As in workers/document-reader/document-reader.test.ts. */
beforeAll(async () => {
  await putTenant("knows", {});
  const eve = await callerOf("knows", "document-eve");
  await storeOf(eve, [await eve.upload("a.pdf", makePdf([pdfLines("text")]))]);
}, 180_000);

test("each kind of document is found by what stands on its pages", async () => {
  const ann = await callerOf("knows", "document-ann");
  const ids = [
    await ann.upload(
      "loans.pdf",
      makePdf([pdfLines("Opening hours."), pdfLines("Seven books may be borrowed.")]),
    ),
    await ann.upload("house.docx", makeDocx(word("The house was built in 1911."))),
    await ann.upload(
      "plan.pptx",
      makePptx([{ shapes: shape("One") }, { shapes: shape("A tower of glass", "title") }]),
    ),
    await ann.upload(
      "staff.xlsx",
      makeXlsx([
        {
          name: "Staff",
          rows: inlineRows([
            ["Name", "Born"],
            ["Ada", 1815],
          ]),
        },
      ]),
    ),
  ];
  const path = await storeOf(ann, ids);
  expect(await best(ann, path, "How many books may be borrowed?")).toMatchObject({
    filename: "loans.pdf",
    attributes: { page: 2 },
    content: [{ type: "text", text: "Seven books may be borrowed." }],
  });
  expect(await best(ann, path, "When was the house built?")).toMatchObject({
    filename: "house.docx",
    attributes: {},
  });
  expect(await best(ann, path, "tower of glass")).toMatchObject({
    filename: "plan.pptx",
    attributes: { page: 2 },
  });
  expect(await best(ann, path, "When was Ada born?")).toMatchObject({
    filename: "staff.xlsx",
    content: [{ text: "# Staff\n\nName: Ada | Born: 1815" }],
  });
  const content = await ann.ask("GET", `${path}/files/${ids[0]}/content`);
  expect(content.body).toMatchObject({
    data: [{ type: "text", text: "Opening hours.\n\nSeven books may be borrowed." }],
  });
});

test("an owner's own attribute `page` stays, and filters are about what the owner wrote", async () => {
  const bob = await callerOf("knows", "document-bob");
  const id = await bob.upload("a.pdf", makePdf([pdfLines("A red tower.")]));
  const path = await storeOf(bob, [id], { attributes: { page: "cover" } });
  expect(await best(bob, path, "tower")).toMatchObject({ attributes: { page: "cover" } });
  const filtered = await bob.ask("POST", `${path}/search`, {
    query: "tower",
    filters: { type: "eq", key: "page", value: 1 },
  });
  expect(filtered.body["data"]).toEqual([]);
});

test.each([
  ["scanned", "scan.pdf", makePdf([[]]), "invalid_file", "no text"],
  ["damaged", "half.docx", makeDocx(word("text")).slice(0, 100), "invalid_file", "damaged"],
  ["foreign", "image.pdf", Uint8Array.of(0x89, 0x50, 0x4e, 0x47), "unsupported_file", "none of PDF"],
  [
    "old",
    "old.doc",
    Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1),
    "unsupported_file",
    "DOCX",
  ],
])("a %s document fails for a reason, and the file is kept", async (kind, filename, bytes, code, words) => {
  const caller = await callerOf("knows", `document-${kind}`);
  const id = await caller.upload(filename, bytes);
  const path = await storeOf(caller, [id]);
  const file = await caller.ask("GET", `${path}/files/${id}`);
  expect(file.body).toMatchObject({ status: "failed", last_error: { code } });
  expect(JSON.stringify(file.body["last_error"])).toContain(words);
  expect((await caller.ask("GET", `/v1/files/${id}`)).status).toBe(200);
});
