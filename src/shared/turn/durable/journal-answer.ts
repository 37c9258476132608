import type { Usage } from "../../contracts/usage.ts";
import { FinishWatch } from "../../receipts/attach-receipt.ts";
import type { AnswerPass } from "../../stream/answer-pass.ts";
import { journalEvents } from "./gathered.ts";
import type { JournalEvent, TurnIo } from "./ports.ts";

/**
 * Writes every event of an answer into the journal but the last ones, which belong to the turn's end, and returns those: with a
 * receipt, from the last finish reason on.
 *
 * @param ended whether the stream has said how it ended: what is read then is its last
 */
export async function journalAnswer(
  stream: ReadableStream<Uint8Array>,
  pass: AnswerPass,
  io: TurnIo,
  options: {
    readonly choices: number;
    readonly receipt: boolean;
    readonly ended: () => boolean;
    /** The turn's usage, the present round included. */
    readonly inAll: (usage: Usage) => Usage;
  },
): Promise<JournalEvent[]> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const watch = options.receipt ? new FinishWatch(options.choices) : null;
  const held: JournalEvent[] = [];
  let begun = false;
  for (;;) {
    // An aborted stream errors: the object has ended the turn by then, and the result is ignored.
    const read = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
    if (read.done || read.value === undefined) return held;
    const events = journalEvents(decoder.decode(read.value));
    if (options.ended()) return [...held, ...events];
    const { keptTokens } = pass;
    const usage = options.inAll(pass.totals().usage);
    io.progress(keptTokens === null ? usage : { ...usage, keptTokens });
    const urgent = !begun && pass.begun;
    begun = pass.begun;
    for (const event of events) {
      if (watch?.isOver(event.data) === true) {
        held.push(event);
        continue;
      }
      if (io.emit(event, urgent)) continue;
      await reader.cancel("the turn has ended");
      return [];
    }
  }
}
