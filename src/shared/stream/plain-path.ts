/**
 * The fast path of the pass over an answer (answer-pass.ts): events that add nothing but text to the only choice that most answers have.
 * They are recognised by what the event before looked like (event-template.ts), in their bytes where they come whole, and are counted,
 * guarded and told as all others are.
 */
import type { AnswerCollector } from "./answer-collector.ts";
import type { AnswerEncoder } from "./answer-encoder.ts";
import type { AnswerEnding } from "./answer-ending.ts";
import type { EngineApi, EngineDelta } from "./engine-event.ts";
import { noRoomYet, type EventGate } from "./event-gate.ts";
import { EventTemplate } from "./event-template.ts";
import type { EventWriter } from "./event-writer.ts";
import type { FilteredLanes } from "./filtered-lanes.ts";
import type { GoingOn } from "./going-on.ts";
import { mostEventCharacters } from "./long-delta.ts";
import { textOf, type EventFrame, type PlainEvent } from "./plain-event.ts";

/** The parts of the pass that its fast path works with. */
export interface PassParts {
  readonly encoder: AnswerEncoder;
  readonly gate: EventGate;
  readonly lanes: FilteredLanes | null;
  readonly collector: AnswerCollector | undefined;
  readonly ending: AnswerEnding;
  readonly goingOn: GoingOn | null;
  readonly writer: EventWriter;
}

const utf8 = new TextEncoder();

export class PlainPath {
  readonly #api: EngineApi;
  readonly #encoder: AnswerEncoder;
  readonly #gate: EventGate;
  readonly #lanes: FilteredLanes | null;
  readonly #collector: AnswerCollector | undefined;
  readonly #ending: AnswerEnding;
  readonly #goingOn: GoingOn | null;
  readonly #writer: EventWriter;
  #template: EventTemplate;

  constructor(api: EngineApi, { encoder, gate, lanes, collector, ending, goingOn, writer }: PassParts) {
    this.#api = api;
    this.#encoder = encoder;
    this.#gate = gate;
    this.#lanes = lanes;
    this.#collector = collector;
    this.#ending = ending;
    this.#goingOn = goingOn;
    this.#writer = writer;
    this.#template = new EventTemplate(api);
  }

  /** Offers an event that was parsed, with the only delta in it. */
  learn(data: string, delta: EngineDelta): void {
    this.#template.learn(data, delta);
  }

  /** The next events are another engine's, or none of choice 0. */
  forget(): void {
    this.#template = new EventTemplate(this.#api);
  }

  matches(data: string): boolean {
    return this.#template.matches(data);
  }

  /** Takes the plain events that `bytes` begins with, as long as there is room for them; returns where the next begins. */
  takeBytes(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#ending.ended === null && !this.#gate.mustWait) {
      const event = this.#template.bytes?.match(bytes, at) ?? null;
      const frame = event === null ? null : this.#encoder.frame();
      if (event === null || frame === null) break;
      if (!this.#gate.isUsual(event.completionTokens - this.#gate.meter.completionTokens)) break;
      if (!this.#tookBytes(bytes, event, frame)) break;
      at = event.end;
    }
    return at;
  }

  /** No string is made of the event unless someone reads it. False: it must wait for the budget, and was not taken. */
  #tookBytes(bytes: Uint8Array, event: PlainEvent, frame: EventFrame): boolean {
    const isEmpty = event.from === event.to;
    const tokens = this.#gate.count(0, event.completionTokens, !isEmpty, false);
    if (tokens === noRoomYet) return false;
    if (tokens < 0) {
      this.#write(this.#ending.conclude("budget-spent", "length"));
      return true;
    }
    if (this.#goingOn !== null) this.#goingOn.heardBytes(bytes, event, tokens);
    if (isEmpty) return true;
    if (this.#lanes === null && this.#collector === undefined) this.#writer.event(bytes, event, frame);
    else this.#tell(textOf(bytes, event), frame);
    return true;
  }

  /** Writes what the client gets for a text of choice 0 that was counted. */
  #tell(text: string, frame: EventFrame): void {
    const released = this.#released(text);
    if (released === null) this.#write(this.#ending.conclude("blocked", "content_filter"));
    else if (released === "") return;
    else if (released.length <= mostEventCharacters && this.#writer.text(released, frame))
      this.#collector?.content(0, released);
    else this.#write(this.#encoded(released));
  }

  #write(text: string): void {
    if (text !== "") this.#writer.append(utf8.encode(text));
  }

  /** An event that matched. @returns what the client gets for it */
  take(data: string): string {
    const text = this.#template.text(data);
    const said = this.#template.completionTokens(data);
    const added = this.#gate.meter.added(0, said, text !== "");
    if (this.#gate.holds(data, added)) return "";
    const tokens = this.#gate.count(0, said, text !== "", false);
    if (tokens === noRoomYet) {
      this.#gate.hold(data, added);
      return "";
    }
    if (tokens < 0) return this.#ending.conclude("budget-spent", "length");
    if (this.#goingOn !== null) this.#goingOn.heard(text, tokens);
    if (text === "") return "";
    const released = this.#released(text);
    if (released === null) return this.#ending.conclude("blocked", "content_filter");
    return released === "" ? "" : this.#encoded(released);
  }

  /** What of a text of choice 0 may go on now; `null`: the answer must stop. */
  #released(text: string): string | null {
    return this.#lanes === null ? text : this.#lanes.push("0/content", text);
  }

  #encoded(released: string): string {
    if (released.length > mostEventCharacters) return this.#ending.deliver({ index: 0, content: released });
    this.#collector?.content(0, released);
    return this.#encoder.content(0, JSON.stringify(released));
  }
}
