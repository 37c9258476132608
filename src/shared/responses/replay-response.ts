/**
 * A stored response as a stream, once its original events are gone: each item whole, in OpenAI's order of events. The events are numbered
 * anew, so a client can't resume from the original numbers.
 */
interface StoredPart {
  readonly type: string;
  readonly text?: string;
  readonly refusal?: string;
}

interface StoredItem {
  readonly id: string;
  readonly type: string;
  readonly content?: readonly StoredPart[];
  /** Of a call. */
  readonly name?: string;
  readonly namespace?: string;
  readonly arguments?: string;
}

interface StoredResponse {
  readonly status: string;
  readonly output: readonly StoredItem[];
  readonly usage?: object;
}

interface ReplayedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** @param json the response object */
export function replayResponse(json: string): string {
  const response = JSON.parse(json) as StoredResponse;
  const { usage: _usage, ...begun } = response;
  const open = {
    ...begun,
    status: "in_progress",
    output: [],
    completed_at: null,
    error: null,
    incomplete_details: null,
  };
  return [
    { type: "response.created", response: open },
    { type: "response.in_progress", response: open },
    ...response.output.flatMap(itemEvents),
    { type: terminalOf(response.status), response },
  ]
    .map((event, at) => {
      const data = JSON.stringify({ ...event, sequence_number: at });
      return `event: ${event.type}\ndata: ${data}\n\n`;
    })
    .join("");
}

/** OpenAI's events have no word for a cancelled one. */
function terminalOf(status: string): string {
  if (status === "completed" || status === "failed") return `response.${status}`;
  return "response.incomplete";
}

function itemEvents(item: StoredItem, outputIndex: number): readonly ReplayedEvent[] {
  const place = { output_index: outputIndex };
  return [
    { type: "response.output_item.added", ...place, item: opened(item) },
    ...(item.type === "message" ? (item.content ?? []) : []).flatMap((part, at) =>
      partEvents(part, { item_id: item.id, ...place, content_index: at }),
    ),
    ...(item.type === "function_call" ? argumentEvents(item, place) : []),
    { type: "response.output_item.done", ...place, item },
  ];
}

/** Of what comes in pieces nothing is there yet. */
function opened(item: StoredItem): object {
  if (item.type === "message") return { ...item, status: "in_progress", content: [] };
  return item.type === "function_call" ? { ...item, status: "in_progress", arguments: "" } : item;
}

function partEvents(part: StoredPart, place: object): readonly ReplayedEvent[] {
  const kind = part.type === "refusal" ? "refusal" : "output_text";
  const field = kind === "refusal" ? "refusal" : "text";
  const said = part[field] ?? "";
  const extra = kind === "refusal" ? {} : { logprobs: [] };
  return [
    { type: "response.content_part.added", ...place, part: { ...part, [field]: "" } },
    { type: `response.${kind}.delta`, ...place, delta: said, ...extra },
    { type: `response.${kind}.done`, ...place, [field]: said, ...extra },
    { type: "response.content_part.done", ...place, part },
  ];
}

function argumentEvents(item: StoredItem, place: object): readonly ReplayedEvent[] {
  const { id, name, namespace, arguments: given = "" } = item;
  const at = { item_id: id, ...place };
  return [
    { type: "response.function_call_arguments.delta", ...at, delta: given },
    // What is undefined is not told.
    { type: "response.function_call_arguments.done", ...at, name, namespace, arguments: given },
  ];
}
