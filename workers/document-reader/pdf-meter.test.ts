import { expect, test } from "vitest";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import { metered } from "./pdf-meter.ts";

const most = documentBounds.pdfStreamBytes;

test("what is made too large while a PDF is read ends its reading, also where that catches it; elsewhere it may be", async () => {
  const reading = metered(async () => {
    try {
      return new Uint16Array(most / 2 + 1).length;
    } catch {
      // As PDF.js does.
      return 0;
    }
  });
  expect(new Uint16Array(most / 2 + 1).length).toBe(most / 2 + 1);
  await expect(reading).rejects.toThrow("too-much-inside");
  expect(await metered(async () => new Uint8Array(most).length)).toBe(most);
});

test("much of it together ends it, too, and nobody else's reading beside it", async () => {
  const large = async (times: number): Promise<string> => {
    for (let time = 0; time < times; time += 1) {
      expect(new Uint8Array(most).length).toBe(most);
      await Promise.resolve();
    }
    return "read";
  };
  const times = documentBounds.pdfUnpackedBytes / most;
  const [over, beside] = await Promise.allSettled([metered(() => large(times + 1)), metered(() => large(2))]);
  expect(over).toMatchObject({ status: "rejected", reason: { message: "too-much-inside" } });
  expect(beside).toEqual({ status: "fulfilled", value: "read" });
});

test("what unpacks is held to the bound before it is in memory", async () => {
  const packed = async (bytes: number): Promise<Uint8Array> => {
    const whole = new Response(new Uint8Array(bytes)).body;
    return new Uint8Array(
      await new Response(whole?.pipeThrough(new CompressionStream("deflate"))).arrayBuffer(),
    );
  };
  const unpacked = async (bytes: Uint8Array): Promise<number> => {
    const { readable, writable } = new DecompressionStream("deflate");
    const writer = writable.getWriter();
    writer.write(bytes).then(
      () => writer.close(),
      () => undefined,
    );
    let length = 0;
    for await (const piece of readable) length += piece.byteLength;
    return length;
  };
  const page = await packed(100_000);
  expect(await metered(() => unpacked(page))).toBe(100_000);
  const bomb = await packed(most + 1);
  await expect(metered(() => unpacked(bomb).catch(() => 0))).rejects.toThrow("too-much-inside");
  expect(await unpacked(bomb)).toBe(most + 1);
});

test("while nobody reads a PDF, and behind it, all is the platform's", async () => {
  const before = globalThis.Uint8Array;
  await metered(async () => {
    expect(globalThis.Uint8Array).not.toBe(before);
    const bytes = new globalThis.Uint8Array(3);
    expect([bytes instanceof before, before.from([1]) instanceof globalThis.Uint8Array]).toEqual([
      true,
      true,
    ]);
    class Own extends globalThis.Uint8Array {}
    expect(new Own(2) instanceof Own).toBe(true);
    expect(globalThis.Uint8Array.of(1, 2).length).toBe(2);
  });
  expect(globalThis.Uint8Array).toBe(before);
});
