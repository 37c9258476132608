/**
 * What goes into a response and comes out of it: OpenAI's items, as far as this service knows them, in the one form that
 * everything behind the parser sees. Kept as JSON with the response, so that members may be added and never changed.
 */
import type { FileText } from "../prompt/file-part.ts";
import type { SentFile } from "../wire/sent-file.ts";

export interface InputText {
  readonly type: "input_text";
  readonly text: string;
}

export interface InputImage {
  readonly type: "input_image";
  /** Checked by src/shared/wire/media.ts. */
  readonly image_url: string;
  readonly detail: "auto" | "low" | "high";
}

/** OpenAI's `input_file` until it is read (src/shared/attachments), before anything else is done with the request. */
export interface SentInputFile {
  readonly type: "sent_file";
  readonly file: SentFile;
}

/** What its owner is shown of it: without-file-texts.ts. */
export interface InputFile extends FileText {
  readonly type: "input_file";
  /** As it was sent. Absent: it was named by its id, or the tenant's screen has changed its text. */
  readonly file_data?: string;
}

export interface OutputText {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: readonly unknown[];
  readonly logprobs: readonly unknown[];
}

export interface OutputRefusal {
  readonly type: "refusal";
  readonly refusal: string;
}

export type InputPart = InputText | InputImage | SentInputFile | InputFile;
export type OutputPart = OutputText | OutputRefusal;

export type ItemStatus = "completed" | "incomplete";

export interface InputMessage {
  readonly type: "message";
  readonly role: "user" | "system" | "developer";
  readonly status: ItemStatus;
  readonly content: readonly InputPart[];
}

export interface OutputMessage {
  readonly type: "message";
  readonly role: "assistant";
  readonly status: ItemStatus;
  readonly content: readonly OutputPart[];
}

export interface FunctionCall {
  readonly type: "function_call";
  readonly call_id: string;
  readonly name: string;
  /** Of the function. Absent: it is of none. */
  readonly namespace?: string;
  /** JSON text of an object. */
  readonly arguments: string;
  readonly status: ItemStatus;
}

export interface FunctionCallOutput {
  readonly type: "function_call_output";
  readonly call_id: string;
  readonly output: string | readonly (InputText | InputImage)[];
  readonly status: ItemStatus;
}

export interface Reasoning {
  readonly type: "reasoning";
  readonly summary: readonly unknown[];
  readonly content: readonly { readonly type: "reasoning_text"; readonly text: string }[];
}

/** A call of a tool that the server ran, with its outcome. */
export interface McpCall {
  readonly type: "mcp_call";
  readonly id?: string;
  readonly server_label: string;
  readonly name: string;
  /** JSON text of an object. */
  readonly arguments: string;
  readonly output: string | null;
  /** In OpenAI's forms, or a text. */
  readonly error?: unknown;
}

/** A search that the server made. Its results show in the answer's citations. */
export interface WebSearchCall {
  readonly type: "web_search_call";
  readonly id?: string;
}

/** A search of files: its passages went into the prompt of its own turn, and later turns do not show them to the model. */
export interface FileSearchCall {
  readonly type: "file_search_call";
  readonly status: ItemStatus | "failed";
  readonly queries: readonly string[];
  readonly results: readonly object[] | null;
  /** Ours: what the search did without. Absent: nothing. */
  readonly lacking?: readonly string[];
}

export type Item =
  | InputMessage
  | OutputMessage
  | FunctionCall
  | FunctionCallOutput
  | Reasoning
  | McpCall
  | WebSearchCall
  | FileSearchCall;

/** An item that can be asked for: with its id, as `GET /v1/responses/{id}/input_items` shows it. */
export type NamedItem = Item & { readonly id: string };

const prefixes: Readonly<Record<Item["type"], string>> = {
  message: "msg_",
  function_call: "fc_",
  function_call_output: "fco_",
  reasoning: "rs_",
  mcp_call: "mcp_",
  web_search_call: "ws_",
  file_search_call: "fs_",
};

/**
 * Item ids are made of the response's own: unique without a draw of lots, and the same whenever the journal is read again.
 *
 * @param side `i` for input, `o` for output
 */
export function itemId(type: Item["type"], objectName: string, side: "i" | "o", index: number): string {
  return `${prefixes[type]}${objectName}${side}${index}`;
}
