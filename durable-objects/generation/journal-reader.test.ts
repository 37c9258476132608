import { expect, test } from "vitest";
import { JournalPacker, type JournalRow } from "../../src/shared/turn/durable/journal.ts";
import { type JournalSource, readJournal } from "./journal-reader.ts";
import { JournalTail } from "./journal-tail.ts";

/** Rows of one event each. */
function rowsOf(count: number): JournalRow[] {
  const packer = new JournalPacker(100);
  return Array.from({ length: count }, (_, at) => {
    packer.add({ data: String(at) });
    return packer.take(at);
  }).flat();
}

function source(rows: JournalRow[], more: Partial<JournalSource> = {}): JournalSource {
  return {
    tail: new JournalTail(),
    next: () => rows.length,
    refused: () => false,
    ended: () => true,
    gone: () => false,
    rowsFrom: (from) => rows.slice(from, from + 2),
    ...more,
  };
}

test("a reader far behind reads piece by piece from storage", async () => {
  const { stream, done } = readJournal(source(rowsOf(5)), { from: 1, ids: false });
  expect(await new Response(stream).text()).toBe("data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n");
  await done;
});

test("silence is filled with comments, which are no events", async () => {
  let silences = 0;
  const quiet = {
    bytesFrom: () => null,
    changed: () => {
      silences += 1;
      return Promise.resolve(false);
    },
  };
  const { stream } = readJournal(source([], { tail: quiet, ended: () => silences === 2 }), {
    from: 0,
    ids: true,
  });
  expect(await new Response(stream).text()).toBe(": keep-alive\n\n: keep-alive\n\n");
});

test("a reader whose journal goes under it is cut off, and does not end cleanly", async () => {
  let reads = 0;
  const { stream, done } = readJournal(source(rowsOf(5), { gone: () => (reads += 1) > 1 }), {
    from: 0,
    ids: false,
  });
  await expect(new Response(stream).text()).rejects.toThrow();
  await done;
});

test("a client that leaves ends its reader, and no other", async () => {
  const tail = new JournalTail();
  const rows = rowsOf(3);
  let ended = false;
  const live = source(rows, { tail, ended: () => ended });
  const leaving = readJournal(live, { from: 0, ids: false });
  const staying = readJournal(live, { from: 0, ids: false });
  const reader = leaving.stream.getReader();
  await reader.read();
  await reader.cancel();
  ended = true;
  tail.ring();
  expect(await new Response(staying.stream).text()).toBe("data: 0\n\ndata: 1\n\ndata: 2\n\n");
  await Promise.all([leaving.done, staying.done]);
});

test("a fault of storage cuts the reader off and is told", async () => {
  const broken = source(rowsOf(1), {
    rowsFrom: () => {
      throw new Error("broken");
    },
  });
  const { stream, done } = readJournal(broken, { from: 0, ids: false });
  const told = expect(done).rejects.toThrow("broken");
  await expect(new Response(stream).text()).rejects.toThrow();
  await told;
});

test("a journal with a gap cuts its reader off, who does not wait in a loop that stands still", async () => {
  const rows = rowsOf(3);
  const gap = source(rows, { rowsFrom: () => rows.slice(0, 1) });
  const { stream, done } = readJournal(gap, { from: 1, ids: true });
  const told = expect(done).rejects.toThrow("gap");
  await expect(new Response(stream).text()).rejects.toThrow();
  await told;
});
