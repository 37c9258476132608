/**
 * How much does PDF.js unpack of a document, by whichever compression? It has no limit of its own, and keeps all that a stream unpacks to:
 * with LZW, run lengths, ASCII85 around deflate, encryption, or just a `/Length` of a gigabyte, a page of some kilobytes could exhaust its
 * isolate. All of it passes two points, which are watched while a PDF is read: typed arrays are allocated, and the platform inflates.
 *
 * Replaced for the isolate as a whole, since a library's globals can't be given to it otherwise; only who reads within `metered` is held to
 * a bound, and only while somebody does are they replaced. What is looked at before (pdf-streams.ts) is refused without loading PDF.js.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import { Unreadable } from "../../src/shared/documents/unreadable.ts";
import { inflate } from "./inflate.ts";

/** What is smaller is not counted: it is most of what PDF.js makes, and little of what it holds. */
const countedBytes = 65_536;

class Meter {
  isOver = false;
  #bytes = 0;

  take(bytes: number): void {
    this.#bytes += bytes;
    if (bytes > documentBounds.pdfStreamBytes || this.#bytes > documentBounds.pdfUnpackedBytes) this.end();
  }

  /** PDF.js catches it, and goes on with what it has: what is over stays over. */
  end(): never {
    this.isOver = true;
    throw new Unreadable("too-much-inside");
  }
}

const reading = new AsyncLocalStorage<Meter>();

/** What `read` gives. @throws Unreadable where it took more than there is room for, whatever came of it */
export async function metered<Value>(read: () => Promise<Value>): Promise<Value> {
  const meter = new Meter();
  enter();
  try {
    const value = await reading.run(meter, read);
    if (meter.isOver) throw new Unreadable("too-much-inside");
    return value;
  } catch (error) {
    throw meter.isOver ? new Unreadable("too-much-inside") : error;
  } finally {
    leave();
  }
}

/** Whether the document that is read here has taken too much: PDF.js has told nobody. */
export function isOverdrawn(): boolean {
  return reading.getStore()?.isOver === true;
}

type Made = new (...given: never[]) => object;

const arrays = {
  ArrayBuffer,
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
} as const;

/** Only a length makes one anew: what is made of a buffer, or of what another array holds, is there already. */
function watched(made: Made, bytesEach: number): Made {
  const watching: Made = new Proxy(made, {
    construct(target, given: unknown[], newTarget: Made) {
      const [length] = given;
      if (typeof length === "number" && length * bytesEach >= countedBytes)
        reading.getStore()?.take(length * bytesEach);
      return Reflect.construct(target, given, newTarget === watching ? target : newTarget) as object;
    },
  });
  return watching;
}

/** The platform's keeps no bound: what one write unpacks to is in memory before it is read. PDF.js gives each stream in one write. */
function boundedDecompression(platform: Made): Made {
  return new Proxy(platform, {
    construct(target, given: unknown[], newTarget: Made) {
      const meter = reading.getStore();
      if (meter === undefined) return Reflect.construct(target, given, newTarget) as object;
      // It has readers of its own for all others, which go through the first door.
      if (given[0] !== "deflate") throw new TypeError("not here");
      return new TransformStream<Uint8Array, Uint8Array>({
        transform(packed, controller) {
          const unpacked = inflate.inflateRaw(packed.subarray(2), documentBounds.pdfStreamBytes);
          if (unpacked === "longer") return meter.end();
          // Its own reader makes something of what is broken.
          if (unpacked === "broken") throw new TypeError("broken");
          meter.take(unpacked.byteLength);
          controller.enqueue(unpacked);
        },
      });
    },
  });
}

const doors: readonly (readonly [name: string, platform: Made, watching: Made])[] = [
  ...Object.entries(arrays).map(
    ([name, made]) =>
      [name, made, watched(made, "BYTES_PER_ELEMENT" in made ? made.BYTES_PER_ELEMENT : 1)] as const,
  ),
  ["DecompressionStream", DecompressionStream, boundedDecompression(DecompressionStream)],
];
let readers = 0;

function enter(): void {
  readers += 1;
  if (readers === 1) for (const [name, , watching] of doors) put(name, watching);
}

function leave(): void {
  readers -= 1;
  if (readers === 0) for (const [name, platform] of doors) put(name, platform);
}

function put(name: string, value: Made): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
