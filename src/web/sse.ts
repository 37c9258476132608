/** Server-sent events from a fetch body, as they come. Comments (keep-alives) are skipped. */
export interface ServerEvent {
  /** Empty if the event has no name. */
  readonly name: string;
  readonly id: string;
  readonly data: string;
}

/**
 * The server sends `: keep-alive` every 15 s. A connection silent for three times as long is dead, though no error is reported:
 * a phone that changed its network would wait for ever.
 */
const silenceMs = 45_000;

export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await readSoon(reader);
      buffer += done ? decoder.decode() : decoder.decode(value, { stream: true });
      let end = buffer.indexOf("\n\n");
      while (end !== -1) {
        const event = parse(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (event.data !== "") yield event;
        end = buffer.indexOf("\n\n");
      }
      if (done) return;
    }
  } finally {
    // Leaving early (a stop, a broken event) closes the connection.
    await reader.cancel().catch(() => undefined);
  }
}

async function readSoon(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    // The same error as a browser's for a broken connection.
    timer = setTimeout(() => reject(new TypeError("nothing came for too long")), silenceMs);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}

function parse(block: string): ServerEvent {
  const lines = block.split("\n");
  const field = (name: string): string =>
    lines
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(line.startsWith(`${name}: `) ? name.length + 2 : name.length + 1))
      .join("\n");
  return { name: field("event"), id: field("id"), data: field("data") };
}
