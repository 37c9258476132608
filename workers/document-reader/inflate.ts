/**
 * Unpacks with the platform's zlib, which is fast and has a limit for the output's length. `DecompressionStream` has none: all that one
 * write unpacks to is in memory before it can be read.
 */
import { constants, crc32, inflateRawSync } from "node:zlib";
import type { Inflate } from "../../src/shared/documents/zip-archive.ts";

/**
 * workerd asks for room in portions of 40,960 bytes, and takes one that would not fit for too long, however few bytes of it are used: with as
 * little as the length itself, every third part of 40 to 200 KB was. With as much as this none of 1,650 lengths was.
 */
const slackBytes = 131_072;

export const inflate: Inflate = {
  inflateRaw(deflated, mostBytes) {
    try {
      const bytes = inflateRawSync(deflated, {
        maxOutputLength: mostBytes + slackBytes,
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      return bytes.byteLength > mostBytes ? "longer" : bytes;
    } catch (error) {
      return error instanceof RangeError ? "longer" : "broken";
    }
  },
  crc32: (bytes) => crc32(bytes),
};
