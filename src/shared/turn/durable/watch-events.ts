/**
 * A conversation as a second device follows it: one stream over many turns. Each turn's journal goes out as it is; its
 * events' numbers get the turn's response id before them, so that `Last-Event-ID` says where in which turn to go on.
 *
 *   event: turn.started   {"response_id", "created_at", "input"}
 *   …the turn's own events, id: <response id>/<number>
 *   event: turn.ended     {"response_id"}            id: <response id>/end
 *   event: conversation.changed                       what is listed has changed otherwise: read it again
 *   event: conversation.deleted
 */
export interface WatchPosition {
  readonly responseId: string;
  /** The next event wanted; `null`: the turn was followed to its end. */
  readonly from: number | null;
}

/** `null`: not a position that we gave out. */
export function readPosition(lastEventId: string): WatchPosition | null {
  const match = /^([A-Za-z0-9_-]{1,100})\/(\d{1,9}|end)$/.exec(lastEventId);
  if (match === null) return null;
  const [, responseId = "", at = ""] = match;
  return { responseId, from: at === "end" ? null : Number(at) + 1 };
}

export function startedEvent(turn: {
  readonly responseId: string;
  readonly beganMs: number;
  readonly input: string | null;
}): string {
  const data = {
    response_id: turn.responseId,
    created_at: Math.floor(turn.beganMs / 1000),
    input: turn.input === null ? null : (JSON.parse(turn.input) as unknown),
  };
  return `event: turn.started\ndata: ${JSON.stringify(data)}\n\n`;
}

export function endedEvent(responseId: string): string {
  return `event: turn.ended\nid: ${responseId}/end\ndata: ${JSON.stringify({ response_id: responseId })}\n\n`;
}

export const changedEvent = "event: conversation.changed\ndata: {}\n\n";
export const deletedEvent = "event: conversation.deleted\ndata: {}\n\n";
export const keepAliveComment = ": keep-alive\n\n";

/** Rewrites the numbers of one turn's events, whatever pieces they come in. */
export class JournalRelay {
  readonly #responseId: string;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #next: number;

  constructor(responseId: string, from: number) {
    this.#responseId = responseId;
    this.#next = from;
  }

  /** The number after the last event that went out. */
  get next(): number {
    return this.#next;
  }

  /** Whole events only: an incomplete one waits for its end. */
  push(bytes: Uint8Array): string {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    const end = text.lastIndexOf("\n\n");
    if (end === -1) {
      this.#rest = text;
      return "";
    }
    this.#rest = text.slice(end + 2);
    return text.slice(0, end + 2).replaceAll(/^id: (\d+)$/gm, (_, number: string) => {
      this.#next = Number(number) + 1;
      return `id: ${this.#responseId}/${number}`;
    });
  }
}
