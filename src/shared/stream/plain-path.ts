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
    else this.#write(this.#told(textOf(bytes, event)));
    return true;
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
    return text === "" ? "" : this.#told(text);
  }

  /** What the client gets for a text of choice 0 that was counted. */
  #told(text: string): string {
    let released = text;
    if (this.#lanes !== null) {
      const passed = this.#lanes.push("0/content", text);
      if (passed === null) return this.#ending.conclude("blocked", "content_filter");
      if (passed === "") return "";
      released = passed;
    }
    if (released.length > mostEventCharacters) return this.#ending.deliver({ index: 0, content: released });
    this.#collector?.content(0, released);
    return this.#encoder.content(0, released === text ? `"${text}"` : JSON.stringify(released));
  }
}
