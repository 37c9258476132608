/** A second device that watches a conversation, and the turns that it is to see. */
import { expect } from "vitest";
import { send } from "./edge-under-test.ts";

export const say = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 50,
  conversation_id: "talk",
  messages: [{ role: "user", content }],
  stream: true,
  ...more,
});

export interface Event {
  readonly name: string;
  readonly id: string | null;
  readonly data: string;
}

/** A second device: reads until it has met `until`, then leaves or goes on. */
export class Watcher {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly events: Event[] = [];
  #rest = "";

  constructor(response: Response) {
    if (response.body === null) throw new Error("no stream");
    this.#reader = response.body.getReader();
  }

  async until(met: (event: Event) => boolean): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`the stream ended: ${JSON.stringify(this.events)}`);
      const blocks = (this.#rest + this.#decoder.decode(value, { stream: true })).split("\n\n");
      this.#rest = blocks.pop() ?? "";
      const events = blocks.filter((block) => !block.startsWith(":")).map(parse);
      this.events.push(...events);
      if (events.some(met)) return;
    }
  }

  async leave(): Promise<void> {
    await this.#reader.cancel();
  }
}

export function parse(block: string): Event {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
  return { name: field("event") ?? "", id: field("id"), data: field("data") ?? "" };
}

export async function watch(authorization: string, lastEventId?: string): Promise<Watcher> {
  const response = await send("/v1/conversations/talk/watch", {
    headers: { authorization, ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return new Watcher(response);
}

export function text(events: readonly Event[]): string {
  return events
    .filter(({ data }) => data.startsWith('{"id"'))
    .map(
      ({ data }) =>
        (JSON.parse(data) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content,
    )
    .join("");
}
