/** The bytes of files as this environment has them: in a bucket where there is one, else in the owner's Library object. */
import { libraryName, libraryVersion, type ReadPartOutcome } from "../../src/shared/contracts/library.ts";
import type { FileAddress, FileContents } from "../../src/shared/retrieval/file-contents.ts";
import { partedWriter, type PartSink } from "../../src/shared/retrieval/parted-writer.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import { bucketKey, bucketSink, fileBucket } from "./file-bucket.ts";

type ContentsEnv = Pick<Cloudflare.Env, "ENVIRONMENT" | "FILES" | "FILES_EU" | "LIBRARY">;

/** SQLite holds values of 2 MB at most. */
const libraryPartBytes = 1_048_576;

export function fileContents(env: ContentsEnv): FileContents {
  return {
    placeFor: (jurisdiction) => (fileBucket(env, jurisdiction) === undefined ? "library" : "bucket"),
    writer: (file, storedIn) =>
      partedWriter(
        storedIn === "bucket"
          ? bucketSink(bucketFor(env, file), bucketKey(file.fileId))
          : librarySink(env, file),
      ),
    async open(file, storedIn) {
      if (storedIn === "library") return openParts(env, file);
      const object = await bucketFor(env, file).get(bucketKey(file.fileId));
      return object?.body ?? null;
    },
    async read(file, storedIn, at, length) {
      if (storedIn === "library") return readParts(env, file, at, length);
      const object = await bucketFor(env, file).get(bucketKey(file.fileId), {
        range: { offset: at, length },
      });
      return object === null ? null : new Uint8Array(await object.arrayBuffer());
    },
  };
}

function bucketFor(env: ContentsEnv, { jurisdiction }: FileAddress): R2Bucket {
  const bucket = fileBucket(env, jurisdiction);
  if (bucket === undefined) throw new TypeError("a file lies in a bucket that is not bound any more");
  return bucket;
}

function libraryOf(env: ContentsEnv, { owner, jurisdiction }: FileAddress) {
  return inJurisdiction(env.LIBRARY, jurisdiction, env.ENVIRONMENT).getByName(libraryName(owner));
}

function librarySink(env: ContentsEnv, file: FileAddress): PartSink {
  return {
    partBytes: libraryPartBytes,
    async put(part, bytes) {
      const written = await callObject(
        async () => libraryOf(env, file).writePart({ v: libraryVersion, ...file, part, bytes }),
        calledObject("library", libraryName(file.owner)),
      );
      if (!written.ok) throw new Error(written.error.detail);
      if (written.value.result !== "ok")
        throw new Error(`a part of a file was not taken: ${written.value.result}`);
    },
    // What was written belongs to an upload that the Library knows of, and takes back.
    abort: () => Promise.resolve(),
  };
}

/** `null`: no part of it is there. Read part by part, as it is wanted. Deleted in the middle, it breaks off: what came is not all of it. */
async function openParts(env: ContentsEnv, file: FileAddress): Promise<ReadableStream<Uint8Array> | null> {
  const read = (part: number): Promise<ReadPartOutcome> => readPart(env, file, part);
  const first = await read(0);
  if (first.result !== "ok" || first.bytes === null) return null;
  const { bytes: beginning } = first;
  let next = 1;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (beginning.byteLength > 0) controller.enqueue(beginning);
    },
    async pull(controller) {
      const part = await read(next);
      next += 1;
      if (part.result !== "ok") throw new Error(`a file can't be read to its end: ${part.result}`);
      if (part.bytes === null) controller.close();
      else controller.enqueue(part.bytes);
    },
  });
}

/** `null`: one of the parts is not there. */
async function readParts(
  env: ContentsEnv,
  file: FileAddress,
  at: number,
  length: number,
): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const part = Math.floor((at + filled) / libraryPartBytes);
    const read = await readPart(env, file, part);
    if (read.result !== "ok") return null;
    const piece = read.bytes?.subarray(at + filled - part * libraryPartBytes).subarray(0, length - filled);
    if (piece === undefined || piece.byteLength === 0) break;
    bytes.set(piece, filled);
    filled += piece.byteLength;
  }
  return bytes.subarray(0, filled);
}

async function readPart(env: ContentsEnv, file: FileAddress, part: number): Promise<ReadPartOutcome> {
  const called = await callObject<ReadPartOutcome>(
    async () => libraryOf(env, file).readPart({ v: libraryVersion, ...file, part }),
    calledObject("library", libraryName(file.owner)),
  );
  if (!called.ok) throw new Error(called.error.detail);
  return called.value;
}
