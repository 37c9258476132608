/** A stream of response events as a client reads it: every event with its id, name and data. */
export interface ReadEvent {
  readonly id: number;
  readonly name: string;
  readonly data: {
    readonly type: string;
    readonly sequence_number: number;
    readonly delta?: string;
    readonly response?: ResponseObject;
  };
}

export interface ResponseObject {
  readonly id: string;
  readonly status: string;
  readonly model: string;
  readonly output: readonly {
    readonly id: string;
    readonly type: string;
    readonly status: string;
    readonly call_id?: string;
    readonly name?: string;
    readonly arguments?: string;
    readonly content?: readonly { readonly type: string; readonly text: string }[];
  }[];
}

export function readEvents(text: string): ReadEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => {
      const [, id, name, data] = /^id: (\d+)\nevent: (\S+)\ndata: ([^\n]*)$/.exec(block) ?? [];
      return { id: Number(id), name: name ?? "", data: JSON.parse(data ?? "null") as ReadEvent["data"] };
    });
}

/** Events that end a response. */
export const terminalEvents: readonly string[] = [
  "response.completed",
  "response.incomplete",
  "response.failed",
];
