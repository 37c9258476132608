/**
 * Puts a receipt into an answer: `"edgewise": {"receipt": …}` beside the usage of a whole answer, or in the last event of a
 * stream. Only for tenants that want receipts: a stream without one is never touched.
 */

/** @param json an object, with at least one field */
export function withReceipt(json: string, receipt: string): string {
  const end = json.lastIndexOf("}");
  if (end === -1) throw new Error("an answer is a JSON object");
  return `${json.slice(0, end)},"edgewise":{"receipt":${JSON.stringify(receipt)}}${json.slice(end)}`;
}

const eventHead = "data: ";
const doneEvent = "data: [DONE]\n\n";

/** Into the last event of an answer's last bytes that is JSON; `[DONE]` stays behind it. Bytes without one stay as they are. */
export function withReceiptEvent(tail: string, receipt: string): string {
  const end = tail.endsWith(doneEvent) ? tail.length - doneEvent.length : tail.length;
  const start = tail.lastIndexOf(`${eventHead}{`, end);
  return start === -1
    ? tail
    : tail.slice(0, start) + withReceipt(tail.slice(start, end), receipt) + tail.slice(end);
}

/** As our encoders write it, and as no text can: in a JSON string its quotes are escaped. */
const finishMark = '"finish_reason":"';

/**
 * Has an answer said how each of its choices ended? What comes from there on is its end, and can be held back for the receipt:
 * without a usage chunk, the last event that is JSON is the one with the last finish reason.
 */
export class FinishWatch {
  #left: number;

  constructor(choices: number) {
    this.#left = choices;
  }

  /** Reads on. */
  isOver(text: string): boolean {
    if (this.#left > 0) this.#left -= text.split(finishMark).length - 1;
    return this.#left <= 0;
  }
}

/**
 * The same stream with the receipt in its last event.
 *
 * @param choices whose ends are held back, for the few milliseconds until the stream's own
 * @param ended whether what is read from now on is the last of it: a relay says so before it hands its last bytes over
 * @param sign called once, then
 */
export function sealStream(
  stream: ReadableStream<Uint8Array>,
  choices: number,
  ended: () => boolean,
  sign: () => Promise<string | null>,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  const watch = new FinishWatch(choices);
  const decoder = new TextDecoder();
  let tail = "";
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const read = await reader.read();
          if (read.done) break;
          // A relay writes whole events.
          const text = decoder.decode(read.value);
          if (!watch.isOver(text) && !ended()) {
            controller.enqueue(read.value);
            return;
          }
          tail += text;
        }
        if (tail !== "") {
          const receipt = await sign();
          controller.enqueue(
            new TextEncoder().encode(receipt === null ? tail : withReceiptEvent(tail, receipt)),
          );
        }
        controller.close();
      },
      cancel: (reason: unknown) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
