/**
 * What does a client get while its answer's first byte is outstanding? After a silence the stream begins without it: headers, then `:
 * keep-alive`, until the answer begins. From then on a refusal can only be an event.
 */
export interface LateStreamOptions {
  readonly keepAliveMs: number;
  /** Calls back after so many milliseconds; the result cancels it. */
  readonly setTimer: (callback: () => void, ms: number) => () => void;
  /** A refusal's JSON body as the one event that ends the stream. */
  readonly errorEvent: (json: string) => string;
}

const keepAlive = new TextEncoder().encode(": keep-alive\n\n");

/** `answering` never rejects. An SSE answer goes on as it is; any other is a refusal. */
export function lateStream(
  answering: Promise<Response>,
  options: LateStreamOptions,
): ReadableStream<Uint8Array> {
  let cancelTimer: () => void = () => undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  let gone = false;

  async function begin(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const response = await answering;
    cancelTimer();
    if (gone) {
      await response.body?.cancel("client-gone");
      return;
    }
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (isStream && response.body !== null) {
      reader = response.body.getReader();
      return forward(controller, reader);
    }
    controller.enqueue(new TextEncoder().encode(options.errorEvent(await response.text())));
    controller.close();
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const again = (): void => {
          controller.enqueue(keepAlive);
          cancelTimer = options.setTimer(again, options.keepAliveMs);
        };
        again();
      },
      pull: (controller) => (reader === null ? begin(controller) : forward(controller, reader)),
      async cancel(reason) {
        gone = true;
        cancelTimer();
        // The request's own signal has aborted what is still being dispatched.
        await reader?.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

async function forward(
  controller: ReadableStreamDefaultController<Uint8Array>,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<void> {
  const { done, value } = await reader.read();
  if (done) controller.close();
  else controller.enqueue(value);
}
