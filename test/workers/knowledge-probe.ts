/** A vector store's object by itself, whose files and whose pace are the test's (gated-knowledge.ts). */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { AttachedFile } from "../../src/shared/contracts/knowledge-base.ts";
import { knowledgeControl, type Step } from "./gated-knowledge.ts";

/** A store of a tenant of its own. */
export class KnowledgeProbe {
  readonly tenant = `knowledge-${crypto.randomUUID()}`;
  readonly owner = { tenant: this.tenant, user: "ann" };
  readonly control = knowledgeControl(this.tenant);
  readonly message = { v: 1, owner: this.owner } as const;
  readonly definition = { name: "n", description: "", metadata: {}, expiresAfterDays: null };

  get stub() {
    return env.GATED_KNOWLEDGE.getByName(this.tenant);
  }

  file(id: string, text: string, more: Partial<AttachedFile> = {}): AttachedFile {
    this.control.texts.set(id, text);
    return {
      fileId: id,
      filename: `${id}.txt`,
      purpose: "assistants",
      mediaType: "",
      bytes: new TextEncoder().encode(text).byteLength,
      storedIn: "bucket",
      attributes: {},
      chunking: { maxTokens: 100, overlapTokens: 0 },
      ...more,
    };
  }

  create(files: readonly AttachedFile[] = [], maxPassages = 1000, definition: object = {}) {
    return this.stub.create({
      ...this.message,
      jurisdiction: "none",
      id: `vs_${this.tenant}`,
      createdMs: Date.now(),
      definition: { ...this.definition, ...definition },
      files,
      maxPassages,
    });
  }

  attach(files: readonly AttachedFile[], batchId: string | null = null) {
    return this.stub.attach({ ...this.message, files, batchId, maxPassages: 1000 });
  }

  async found(query: string): Promise<string[]> {
    const search = { queries: [query], maxResults: 10, filters: null, scoreThreshold: 0, rerank: false };
    const outcome = await this.stub.search({ ...this.message, search });
    if (outcome.result !== "ok") throw new Error(outcome.result);
    return outcome.passages.map(({ fileId }) => fileId);
  }

  async view() {
    const outcome = await this.stub.describe(this.message);
    if (outcome.result !== "ok") throw new Error(outcome.result);
    return outcome.store;
  }

  async status(fileId: string) {
    const outcome = await this.stub.getFile({ ...this.message, fileId });
    if (outcome.result !== "ok") return outcome.result;
    return outcome.file.lastError?.code ?? outcome.file.status;
  }

  /** Lets the alarm ring until nothing waits, the time of another try included. */
  async process(): Promise<void> {
    for (let rings = 0; (await this.view()).counts.in_progress > 0; rings += 1) {
      if (rings > 200) throw new Error("never done");
      await this.dueNow();
      await runDurableObjectAlarm(this.stub);
    }
  }

  dueNow(): Promise<void> {
    return runInDurableObject(this.stub, (_instance, { storage }) => {
      storage.sql.exec("UPDATE file SET due_ms = 0");
      storage.sql.exec("UPDATE head SET erase_ms = 0 WHERE erase_ms IS NOT NULL");
    });
  }

  /** Processing has come to `step` and stands still there. What it ends with, when it goes on. */
  async standsStillAt(step: Step): Promise<{ readonly ringing: Promise<unknown> }> {
    this.control.arrived = Promise.withResolvers();
    this.control.go = Promise.withResolvers();
    this.control.stopsAt = step;
    const ringing = runDurableObjectAlarm(this.stub).catch((error: unknown) => error);
    await runInDurableObject(this.stub, () => this.control.arrived.promise);
    return { ringing };
  }

  goOn(): Promise<void> {
    return runInDurableObject(this.stub, () => this.control.go.resolve());
  }
}

export const steps = ["open", "read", "embedder", "embed"] as const;

/** What is looked for in it is in no other text. */
export const text = "The secretword zyzzyva is a weevil of South America.";

/** Of a list of files. */
export const all = {
  after: null,
  before: null,
  limit: 100,
  order: "desc",
  status: null,
  batchId: null,
} as const;
