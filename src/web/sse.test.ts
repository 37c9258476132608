import { expect, test } from "vitest";
import { readEvents } from "./sse.ts";

async function eventsOf(bytes: Uint8Array, size: number): Promise<string[]> {
  const events: string[] = [];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
  for await (const { name, id, data } of readEvents(body)) events.push(`${name}|${id}|${data}`);
  return events;
}

test("events are the same however the bytes are cut, and keep-alives are no events", async () => {
  const bytes = new TextEncoder().encode(
    ': keep-alive\n\ndata: {"a":"é🙂"}\n\nevent: end\nid: 4\ndata: [DONE]\n\n',
  );
  for (let size = 1; size <= bytes.length; size += 1)
    expect(await eventsOf(bytes, size)).toEqual(['||{"a":"é🙂"}', "end|4|[DONE]"]);
});
