/**
 * The guard's port: text passes through it on its way to the client. It may hold text back until it can judge it, change
 * it, or stop the answer. It sits inside the one pass over the stream: no second parser, no second buffer.
 */

/**
 * One run of text that a client would put together: an answer has a lane for each choice's content, reasoning and
 * refusal, and for the arguments of each tool call, its name and its id. Spans never cross lanes.
 */
export type TextLane =
  | `${number}/content`
  | `${number}/reasoning`
  | `${number}/refusal`
  | `${number}/call/${number}`
  | `${number}/call/${number}/${CallWord}`;

/** The parts of a call that come at once, before its arguments. Both may be the model's words: some engines take the id from its text. */
export type CallWord = "name" | "id";

export interface TextFilter {
  /** All text passes as it comes: the filter only looks. Absent: it may hold back, change or stop. */
  readonly changesNothing?: boolean;
  /** Text of this lane to release now, maybe ""; `null`: the answer must stop, and held text is never released. */
  push(lane: TextLane, text: string): string | null;
  /** Characters at the end of what came into this lane that have not gone on, nor been taken out. */
  held(lane: TextLane): number;
  /** The lane has ended: its text that is still held, or `null` as above. Called once for each lane that had text. */
  flush(lane: TextLane): string | null;
}
