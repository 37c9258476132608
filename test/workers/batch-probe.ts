/** A Batch object by itself, before files, turns and a Library that are the test's. */
import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { type BatchEndpoint, type BatchView, batchVersion } from "../../src/shared/contracts/batch.ts";
import { eventually } from "./eventually.ts";
import { batchControl } from "./scripted-batch.ts";

const dayMs = 86_400_000;

/** A batch of a tenant of its own. */
export class BatchProbe {
  readonly owner = { tenant: crypto.randomUUID(), user: "ann" };
  readonly control = batchControl(this.owner.tenant);
  readonly #id = `batch_${this.owner.tenant}`;

  get stub() {
    return env.SCRIPTED_BATCH.getByName(this.owner.tenant);
  }

  get message() {
    return { v: batchVersion, owner: this.owner } as const;
  }

  create(
    lines: readonly string[],
    more: {
      windowMs?: number;
      maxLines?: number;
      createdMs?: number;
      endpoint?: BatchEndpoint;
      maxStoredBytes?: number;
    } = {},
  ) {
    this.control.input = lines.join("\n");
    const { windowMs = dayMs, maxLines = 1000, createdMs = Date.now() } = more;
    const { endpoint = "/v1/chat/completions", maxStoredBytes } = more;
    const input = { owner: this.owner, fileId: "file-in", storedIn: "library", bytes: 1 } as const;
    return this.stub.create({
      ...this.message,
      jurisdiction: "none",
      batchId: this.#id,
      createdMs,
      opening: {
        endpoint,
        input,
        principal: {} as never,
        place: {},
        metadata: null,
        outputExpiresAfterMs: null,
        windowMs,
        maxLines,
        maxLineBytes: 1000,
        maxInFlight: 4,
        ...(maxStoredBytes === undefined ? {} : { maxStoredBytes }),
      },
    });
  }

  async view(): Promise<BatchView> {
    const outcome = await this.stub.describe(this.message);
    if (outcome.result !== "ok") throw new Error(outcome.result);
    return outcome.batch;
  }

  /** What it has written is on its disk by then, as it is before anybody outside hears of anything. */
  async kill(): Promise<void> {
    await this.view();
    await abortAllDurableObjects();
  }

  until(status: BatchView["status"]): Promise<BatchView> {
    return eventually(async () => {
      const view = await this.view();
      expect(view.status).toBe(status);
      return view;
    });
  }

  /** `custom_id`s of one of its files, in order. */
  names(kind: "output" | "error"): string[] {
    const text = this.control.files.get(kind) ?? "";
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
  }
}

export function line(customId: string, say = "hello", url: BatchEndpoint = "/v1/chat/completions"): string {
  return JSON.stringify({ custom_id: customId, method: "POST", url, body: { model: "m", say } });
}
