import { ArchiveStore } from "../../src/shared/archive/archive-store.ts";
import { consumeBatch, type BatchDeps } from "../../src/shared/archive/consume-batch.ts";
import type { Database } from "../../src/shared/archive/database.ts";
import { createQueueArchive } from "../../src/shared/archive/queue-archive.ts";

interface Envelope {
  readonly id: string;
  readonly body: unknown;
  attempts: number;
  state: "waiting" | "acked";
}

/** A queue like Cloudflare's: it keeps each message until it is acknowledged. */
export class FakeQueue {
  readonly waiting: Envelope[] = [];
  readonly reports: string[] = [];
  #made = 0;

  send(body: unknown): void {
    this.#made += 1;
    this.waiting.push({
      id: `message-${this.#made}`,
      body: JSON.parse(JSON.stringify(body)),
      attempts: 0,
      state: "waiting",
    });
  }

  readonly archive = createQueueArchive(
    { sendBatch: async (messages) => messages.forEach(({ body }) => this.send(body)) },
    undefined,
  );

  /** @param lostAcks indices whose acknowledgement never reaches the queue */
  async deliver(
    envelopes: readonly Envelope[],
    database: Database,
    options: Partial<BatchDeps> & { readonly lostAcks?: (at: number) => boolean } = {},
  ): Promise<void> {
    const { lostAcks = () => false, ...deps } = options;
    await consumeBatch(
      envelopes.map((envelope, at) => {
        envelope.attempts += 1;
        return {
          id: envelope.id,
          body: envelope.body,
          attempts: envelope.attempts,
          ack: () => {
            if (!lostAcks(at)) envelope.state = "acked";
          },
          retry: () => undefined,
        };
      }),
      {
        store: new ArchiveStore(database),
        poison: "retry",
        report: (event, fields) => this.reports.push(`${event} ${JSON.stringify(fields)}`),
        count: () => undefined,
        random: () => 0.5,
        ...deps,
      },
    );
    for (const envelope of envelopes)
      if (envelope.state === "acked" && this.waiting.includes(envelope))
        this.waiting.splice(this.waiting.indexOf(envelope), 1);
  }

  async deliverAll(database: Database, options?: Partial<BatchDeps>): Promise<void> {
    await this.deliver([...this.waiting], database, options);
  }
}
