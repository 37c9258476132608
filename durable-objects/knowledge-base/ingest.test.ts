import { expect, test } from "vitest";
import { ok } from "../../src/shared/contracts/result.ts";
import type { Work } from "./file-records.ts";
import { ingest } from "./ingest.ts";

const text = Array.from({ length: 200 }, (_, at) => `Paragraph ${at} ${"word ".repeat(90)}.`).join("\n\n");

const work: Work = {
  fileId: "a",
  filename: "a.txt",
  purpose: "assistants",
  mediaType: "text/plain",
  bytes: text.length,
  storedIn: "library",
  attributes: {},
  chunking: { maxTokens: 100, overlapTokens: 0 },
  sequence: 1,
  work: 1,
  attempts: 1,
};

test.each([
  ["have two lengths in one file", [3, 4], 0],
  ["are too few", [3, 3], 1],
])("vectors that %s are another try, never half of a file", async (_, dimensions, missing) => {
  const lengths = [...dimensions];
  const ingested = await ingest(work, {
    open: () => Promise.resolve(new Response(text).body),
    embedder: () =>
      Promise.resolve({
        id: "e",
        dimensions: 0,
        embed: (texts) => {
          const length = lengths.shift() ?? 3;
          return Promise.resolve(ok(texts.slice(missing).map(() => new Float32Array(length).fill(1))));
        },
      }),
    pause: () => Promise.resolve(),
    isWanted: () => true,
    documents: null,
    room: 10_000,
    roomFor: (passages) => Promise.resolve(passages),
  });
  expect(ingested).toMatchObject({ kind: "again" });
});
