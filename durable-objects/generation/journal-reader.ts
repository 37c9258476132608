import type { ReadPosition } from "../../src/shared/contracts/generation.ts";
import { encodeRow, type JournalRow } from "../../src/shared/turn/durable/journal.ts";
import { encode, type JournalTail } from "./journal-tail.ts";

/**
 * One reader of a journal: a cursor that replays from any event and then follows live. It holds at most one piece that
 * the client has not taken, so that a slow reader costs the object nothing and the pump never waits.
 *
 * Written through an IdentityTransformStream, whose writes wait for the object's output gate: what a reader sees has
 * been stored.
 */
export interface JournalSource {
  readonly tail: Pick<JournalTail, "bytesFrom" | "changed">;
  /** The number after the last stored event. */
  next(): number;
  ended(): boolean;
  /** The turn was refused before its first event: a waiting reader gets no end. */
  refused(): boolean;
  /** The journal is gone: a reader that has not had all of it is cut off, not ended cleanly. */
  gone(): boolean;
  rowsFrom(from: number, maxUnits: number): JournalRow[];
}

const keepAliveMs = 15_000;
const maxPieceUnits = 65_536;
const keepAlive = encode(": keep-alive\n\n");

/** Starts reading; `done` resolves when the client has everything, has left, or was cut off; it rejects for a fault of ours. */
export function readJournal(
  source: JournalSource,
  position: ReadPosition,
): { readonly stream: ReadableStream<Uint8Array>; readonly done: Promise<void> } {
  const { readable, writable } = new IdentityTransformStream();
  return { stream: readable, done: pump(source, position, writable.getWriter()) };
}

type Writer = WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView>;

async function pump(source: JournalSource, { from, ids }: ReadPosition, writer: Writer): Promise<void> {
  let at = from;
  try {
    for (;;) {
      if (at < source.next()) {
        const piece = source.tail.bytesFrom(at, ids) ?? stored(source, at, ids);
        if (piece === null) {
          await settled(writer.abort(new Error("the journal is gone")));
          return;
        }
        // Without this the loop would never yield, and would block the object's thread for ever.
        if (piece.next <= at) throw new Error("the journal has a gap");
        for (const bytes of piece.bytes) if (!(await settled(writer.write(bytes)))) return;
        at = piece.next;
      } else if (source.refused()) {
        await settled(writer.abort(new Error("the turn was refused")));
        return;
      } else if (source.ended()) {
        await settled(writer.close());
        return;
      } else if (!(await source.tail.changed(keepAliveMs))) {
        if (!(await settled(writer.write(keepAlive)))) return;
      }
    }
  } catch (error) {
    await settled(writer.abort(error));
    throw error;
  }
}

/** `false`: the client has left, which is its stream's own end and no fault. The turn goes on. */
async function settled(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch {
    return false;
  }
}

function stored(
  source: JournalSource,
  from: number,
  ids: boolean,
): { readonly bytes: readonly Uint8Array[]; readonly next: number } | null {
  if (source.gone()) return null;
  const rows = source.rowsFrom(from, maxPieceUnits);
  const last = rows.at(-1);
  if (last === undefined) return null;
  return {
    bytes: [encode(rows.map((row) => encodeRow(row, from, ids)).join(""))],
    next: last.first + last.count,
  };
}
