/**
 * One batch of the archive's queue: every message is written, retried, or set aside as poison, and none blocks another.
 *
 *   read ▸ erase ▸ write all turns ▸ (a row is at fault: halve, down to the one) ▸ delete objects ▸ acknowledge each
 *
 * Messages are acknowledged one by one after their transaction. After a crash in between they are written again, which is safe since rows
 * are unique by charge id.
 */
import type { ArchiveStore } from "./archive-store.ts";
import { faultOf } from "./database.ts";
import { readArchiveMessage, type EraseMessage, type TurnMessage } from "./message.ts";

/** A queue's message has this shape. */
export interface QueuedMessage {
  readonly id: string;
  readonly body: unknown;
  /** From 1. */
  readonly attempts: number;
  ack(): void;
  retry(options: { readonly delaySeconds: number }): void;
}

/**
 * What became of a message, for `edgewise_archive_messages_total`: `dead` once, when it comes as a dead letter, beside what becomes of it
 * then; `retried` at each try; `parked`: kept in the table of dead letters.
 */
export type ArchiveResult = "written" | "retried" | "dead" | "parked";

/** What is done with a message that can't be written: it comes again (and the queue moves it to the dead letters), or is kept. */
export type PoisonRule = "retry" | "park";

export interface BatchDeps {
  readonly store: ArchiveStore;
  /** Deletes objects of the bucket; absent: there is none. */
  readonly deleteObjects?: ((keys: readonly string[]) => Promise<void>) | undefined;
  readonly poison: PoisonRule;
  /** Never content. */
  readonly report: (event: string, fields: Readonly<Record<string, string | number>>) => void;
  readonly count: (result: ArchiveResult) => void;
  /** 0 to 1. */
  readonly random: () => number;
}

interface Entry<Body> {
  readonly message: QueuedMessage;
  readonly body: Body;
}

export async function consumeBatch(messages: readonly QueuedMessage[], deps: BatchDeps): Promise<void> {
  const open = new Set(messages);
  const done: Done = (message, result) => {
    open.delete(message);
    message.ack();
    deps.count(result);
  };
  const again: Again = (message) => {
    open.delete(message);
    message.retry({ delaySeconds: retryDelaySeconds(message.attempts, deps.random()) });
    deps.count("retried");
  };
  if (deps.poison === "park") for (const { attempts } of messages) if (attempts === 1) deps.count("dead");
  try {
    const turns: Entry<TurnMessage>[] = [];
    for (const message of messages) {
      const read = readArchiveMessage(message.body);
      if (!read.ok) await poisoned(message, `unreadable: ${read.error}`, deps, done, again);
      else if (read.value.kind === "turn") turns.push({ message, body: read.value });
      else await eraseOne({ message, body: read.value }, deps, done, again);
    }
    await writeTurns(turns, deps, done, again);
    await deleteErasedObjects(deps);
  } catch (error) {
    // The database: whatever is not written yet comes again, all of it.
    deps.report("archive-database", { messages: open.size, detail: describe(error) });
  }
  for (const message of open) again(message);
}

type Done = (message: QueuedMessage, result: "written" | "parked") => void;
type Again = (message: QueuedMessage) => void;

async function eraseOne(
  { message, body }: Entry<EraseMessage>,
  deps: BatchDeps,
  done: Done,
  again: Again,
): Promise<void> {
  try {
    await deps.store.erase(body);
    done(message, "written");
  } catch (error) {
    if (faultOf(error) === "database") throw error;
    await poisoned(message, describe(error), deps, done, again);
  }
}

async function writeTurns(
  entries: readonly Entry<TurnMessage>[],
  deps: BatchDeps,
  done: Done,
  again: Again,
): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  try {
    await deps.store.writeTurns(entries.map(({ body }) => body));
  } catch (error) {
    if (faultOf(error) === "database") throw error;
    if (entries.length === 1) {
      await poisoned(first.message, describe(error), deps, done, again);
      return;
    }
    const half = Math.ceil(entries.length / 2);
    await writeTurns(entries.slice(0, half), deps, done, again);
    await writeTurns(entries.slice(half), deps, done, again);
    return;
  }
  for (const { message } of entries) done(message, "written");
}

async function poisoned(
  message: QueuedMessage,
  reason: string,
  { poison, store, report }: BatchDeps,
  done: Done,
  again: Again,
): Promise<void> {
  report("archive-poison", { message: message.id, attempts: message.attempts, reason });
  if (poison === "park") {
    await store.park({ messageId: message.id, reason, body: message.body });
    done(message, "parked");
    return;
  }
  again(message);
}

/**
 * Deletes what erasures left in the bucket, all of it: a user's erasure may be the last message for long. What can't be deleted now,
 * or is more than one run takes, stays noted; the next batch tries again, and so does the archiver's hourly run.
 */
export async function deleteErasedObjects({
  store,
  deleteObjects,
  report,
}: Pick<BatchDeps, "store" | "deleteObjects" | "report">): Promise<void> {
  if (deleteObjects === undefined) return;
  for (let call = 0; call < mostCalls; call += 1) {
    const objects = await store.erasedObjects(objectsACall);
    if (objects.length === 0) return;
    try {
      await deleteObjects(objects.map(({ key }) => key));
    } catch (error) {
      report("archive-objects", { objects: objects.length, detail: describe(error) });
      return;
    }
    await store.forgetObjects(objects);
    if (objects.length < objectsACall) return;
  }
}

/** R2 deletes so many in one call. */
const objectsACall = 1000;
/** Each is a call of R2 and two short transactions, and a run has 15 minutes. */
const mostCalls = 200;

/** 5 s, doubling to an hour, a quarter more or less: ten tries last an hour and a half. */
export function retryDelaySeconds(attempts: number, random: number): number {
  const base = Math.min(5 * 2 ** Math.min(attempts - 1, 20), 3600);
  return Math.round(base * (0.75 + random / 2));
}

/** The code and the first line: PostgreSQL's `detail` holds values. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "thrown value";
  const code: unknown = "code" in error ? error.code : undefined;
  return typeof code === "string" ? `${code} ${error.name}` : `${error.name} ${error.message.slice(0, 200)}`;
}
