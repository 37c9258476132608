/**
 * The items of an answer while they grow: opened, added to, closed, each step an event. Texts are kept as the inside of JSON strings, as
 * they came and as they go out again, so that none of it is parsed or escaped twice.
 */
import { annotationOf, citationScanner, type Citable, type WebSource } from "../grounding/citable.ts";
import type { CitationScanner } from "../grounding/citation-scanner.ts";
import type { GroundedPassage, Grounding } from "../grounding/ground.ts";
import { openSearchItem, searchEvents, searchItem } from "./file-search.ts";
import type { FunctionName } from "./function-names.ts";
import { itemId } from "./item.ts";
import {
  itemJson,
  itemPlace,
  nameJson,
  type OpenItem,
  type Part,
  partJson,
  type PartKind,
  placeOf,
} from "./output-item-json.ts";
import { maxAnnotationUnits, mostAnnotations } from "./output-limits.ts";
import {
  closingEvents,
  openingEvents,
  type ServerCall,
  type ServerCallEnd,
  serverItemJson,
} from "./server-items.ts";

/** Gives an event its number and its form. `fields` is JSON without the outer braces. */
export type EmitEvent = (type: string, fields: string) => string;

const deltaEvents: Readonly<Record<PartKind, string>> = {
  output_text: "response.output_text.delta",
  refusal: "response.refusal.delta",
  reasoning_text: "response.reasoning_text.delta",
};
const doneEvents: Readonly<Record<PartKind, string>> = {
  output_text: "response.output_text.done",
  refusal: "response.refusal.done",
  reasoning_text: "response.reasoning_text.done",
};

export class OutputItems {
  readonly #objectName: string;
  readonly #emit: EmitEvent;
  /**
   * Whether an item is closed when the next one begins. Not under a guard, whose held back characters of a lane come at the
   * answer's end: then all are closed there.
   */
  readonly #closesEarly: boolean;
  readonly #items: OpenItem[] = [];
  #units = 0;
  /** Of these, annotations. */
  #cited = 0;
  /** What a text may cite. */
  #citable: Citable;
  /**
   * What is said now was said before (`ResponseWriter.restore`): of annotations only those were told of which an event says so, and
   * what the sources are by now need not be what they were then.
   */
  isRestoring = false;

  /** @param isJson so are the answer's texts */
  constructor(objectName: string, closesEarly: boolean, isJson: boolean, emit: EmitEvent) {
    this.#objectName = objectName;
    this.#closesEarly = closesEarly;
    this.#citable = { passages: [], sources: [], isJson };
    this.#emit = emit;
  }

  /** UTF-16 units of all texts so far, as JSON. */
  get units(): number {
    return this.#units;
  }

  /** JSON array of the items; those that are still open as `incomplete`. */
  json(): string {
    return `[${this.#items.map((item) => item.closed ?? itemJson(item, "incomplete")).join(",")}]`;
  }

  /** From now on texts may cite these. */
  grounded(passages: readonly GroundedPassage[]): void {
    this.#citable = { ...this.#citable, passages };
  }

  /** The same for the web: all results that the model was given, in order. */
  set sources(sources: readonly WebSource[]) {
    this.#citable = { ...this.#citable, sources };
  }

  /** The search that went before the answer, from its beginning to its end. */
  search(grounding: Grounding, showsResults: boolean): string {
    this.grounded(grounding.passages);
    const index = this.#items.length;
    const id = itemId("file_search_call", this.#objectName, "o", index);
    const closed = searchItem(id, grounding, showsResults);
    this.#items.push({ type: "file_search_call", id, index, parts: [], call: null, server: null, closed });
    this.#units += closed.length;
    const place = `"output_index":${index}`;
    let said = this.#emit("response.output_item.added", `${place},"item":${openSearchItem(id)}`);
    for (const type of searchEvents(grounding)) said += this.#emit(type, `"item_id":"${id}",${place}`);
    return said + this.#emit("response.output_item.done", `${place},"item":${closed}`);
  }

  /** @param literal a JSON string with its quotes; `logprobs`: JSON objects with commas between them */
  text(kind: PartKind, literal: string, logprobs = ""): string {
    if (literal === '""' && logprobs === "") return "";
    const { item, part, opened } = this.#part(kind);
    const inner = literal.slice(1, -1);
    part.text += inner;
    part.logprobs += part.logprobs === "" || logprobs === "" ? logprobs : `,${logprobs}`;
    this.#units += inner.length + logprobs.length;
    const place = placeOf(item, item.parts.indexOf(part));
    const said =
      opened +
      this.#emit(
        deltaEvents[kind],
        kind === "output_text"
          ? `${place},"delta":${literal},"logprobs":[${logprobs}]`
          : `${place},"delta":${literal}`,
      );
    if (part.scanner === null) return said;
    this.#cite(part, part.scanner, literal);
    return this.isRestoring ? said : said + this.#annotate(part, place);
  }

  /** What this piece of a text completes of its citations. */
  #cite(part: Part, scanner: CitationScanner, literal: string): void {
    for (const mark of scanner.read(JSON.parse(literal) as string)) {
      const annotation = annotationOf(this.#citable, mark);
      if (annotation !== null) part.owed.push(JSON.stringify(annotation));
    }
  }

  /** Writes the citations of a text that were not sent yet, as long as there is room. */
  #annotate(part: Part, place: string): string {
    let said = "";
    for (const annotation of part.owed.splice(0)) {
      const isTooMuch = this.#cited + annotation.length > maxAnnotationUnits;
      if (part.annotations.length >= mostAnnotations || isTooMuch) continue;
      const at = this.#keep(part, annotation);
      said += this.#emit(
        "response.output_text.annotation.added",
        `${place},"annotation_index":${at},"annotation":${annotation}`,
      );
    }
    return said;
  }

  /** Restores an annotation that was sent. @param index of the item; @param annotation JSON */
  annotated(index: number, annotation: string): void {
    const part = this.#items[index]?.parts.find(({ kind }) => kind === "output_text");
    if (part === undefined) return;
    this.#keep(part, annotation);
    part.owed.splice(0, part.owed.indexOf(annotation) + 1);
  }

  #keep(part: Part, annotation: string): number {
    this.#units += annotation.length;
    this.#cited += annotation.length;
    return part.annotations.push(annotation) - 1;
  }

  /** One piece of a call. Nothing is said of it before its name is known. */
  call(at: number, id: string | undefined, called: FunctionName | undefined, argumentsText: string): string {
    let said = "";
    let item = this.#items.find((one) => one.call?.at === at);
    if (item === undefined) {
      if (called === undefined || called.name === "") return "";
      const index = this.#items.length;
      const opened: OpenItem = {
        type: "function_call",
        id: itemId("function_call", this.#objectName, "o", index),
        index,
        parts: [],
        call: { ...called, at, id: id ?? `call_${this.#objectName}${index}`, arguments: "" },
        server: null,
        closed: null,
      };
      said += this.#open(opened);
      item = opened;
    }
    const { call } = item;
    if (call === null || item.closed !== null || argumentsText === "") return said;
    const literal = JSON.stringify(argumentsText);
    call.arguments += literal.slice(1, -1);
    this.#units += literal.length;
    return (
      said + this.#emit("response.function_call_arguments.delta", `${itemPlace(item)},"delta":${literal}`)
    );
  }

  /** A call that is ours to answer, its arguments complete. */
  openServerCall(call: ServerCall): { readonly id: string; readonly said: string } {
    const index = this.#items.length;
    const id = itemId(call.type, this.#objectName, "o", index);
    const item: OpenItem = { type: call.type, id, index, parts: [], call: null, server: call, closed: null };
    let said = this.#open(item);
    for (const [type, fields] of openingEvents(call)) said += this.#emit(type, itemPlace(item) + fields);
    this.#units += call.arguments.length;
    return { id, said };
  }

  /** @param id as `openServerCall` gave it */
  closeServerCall(id: string, end: ServerCallEnd): string {
    const item = this.#items.find((one) => one.id === id);
    if (item === undefined || item.server === null || item.closed !== null) return "";
    let said = "";
    for (const [type, fields] of closingEvents(item.server, end))
      said += this.#emit(type, itemPlace(item) + fields);
    item.closed = serverItemJson(id, item.server, end);
    this.#units += item.closed.length;
    return said + this.#itemDone(item);
  }

  /** Closes whatever is open, in order. */
  close(status: "completed" | "incomplete"): string {
    let said = "";
    for (const item of this.#items) {
      if (item.closed !== null) continue;
      said +=
        item.server === null
          ? this.#close(item, status)
          : this.closeServerCall(item.id, { status: "incomplete", output: null, error: null });
    }
    return said;
  }

  #part(kind: PartKind): { readonly item: OpenItem; readonly part: Part; readonly opened: string } {
    const type = kind === "reasoning_text" ? "reasoning" : "message";
    let opened = "";
    let item = this.#items.findLast((one) => one.type === type && one.closed === null);
    if (item === undefined) {
      const index = this.#items.length;
      item = {
        type,
        id: itemId(type, this.#objectName, "o", index),
        index,
        parts: [],
        call: null,
        server: null,
        closed: null,
      };
      opened += this.#open(item);
    }
    let part = item.parts.find((one) => one.kind === kind);
    if (part === undefined) {
      const scanner = kind === "output_text" ? citationScanner(this.#citable) : null;
      part = { kind, text: "", logprobs: "", scanner, annotations: [], owed: [] };
      item.parts.push(part);
      opened += this.#emit(
        "response.content_part.added",
        `${placeOf(item, item.parts.length - 1)},"part":${partJson(part)}`,
      );
    }
    return { item, part, opened };
  }

  #open(item: OpenItem): string {
    // Our calls run at the same time.
    const said = this.#closesEarly && item.server === null ? this.close("completed") : "";
    this.#items.push(item);
    return (
      said +
      this.#emit(
        "response.output_item.added",
        `"output_index":${item.index},"item":${itemJson(item, "in_progress")}`,
      )
    );
  }

  #close(item: OpenItem, status: "completed" | "incomplete"): string {
    let said = "";
    for (const [at, part] of item.parts.entries()) {
      const place = placeOf(item, at);
      const text = `"${part.text}"`;
      if (!this.isRestoring) said += this.#annotate(part, place);
      said += this.#emit(
        doneEvents[part.kind],
        part.kind === "output_text"
          ? `${place},"text":${text},"logprobs":[${part.logprobs}]`
          : `${place},"${part.kind === "refusal" ? "refusal" : "text"}":${text}`,
      );
      said += this.#emit("response.content_part.done", `${place},"part":${partJson(part)}`);
    }
    if (item.call !== null)
      said += this.#emit(
        "response.function_call_arguments.done",
        `${itemPlace(item)},${nameJson(item.call)},"arguments":"${item.call.arguments}"`,
      );
    item.closed = itemJson(item, status);
    return said + this.#itemDone(item);
  }

  #itemDone(item: OpenItem): string {
    return this.#emit("response.output_item.done", `"output_index":${item.index},"item":${item.closed}`);
  }
}
