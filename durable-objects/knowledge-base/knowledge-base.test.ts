import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { AttachedFile } from "../../src/shared/contracts/knowledge-base.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { knowledgeControl, type Step } from "../../test/workers/gated-knowledge.ts";
import { holdsText } from "../../test/workers/stored-text.ts";

let made = 0;

/** A store of a tenant of its own. */
class Probe {
  readonly tenant = `knowledge-${(made += 1)}`;
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

const text = "The secretword zyzzyva is a weevil of South America.";

test("a store is made once, is its owner's alone, and what it was asked before leaves nothing in it", async () => {
  const probe = new Probe();
  expect(await probe.stub.describe(probe.message)).toEqual({ result: "unknown" });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
  const first = await probe.create();
  expect(first).toMatchObject({ result: "ok", store: { id: `vs_${probe.tenant}`, usageBytes: 0 } });
  expect(await probe.create([], 5, { name: "other" })).toEqual(first);
  const stranger = { v: 1, owner: { tenant: probe.tenant, user: "bob" } } as const;
  expect(await probe.stub.describe(stranger)).toEqual({ result: "unknown" });
  expect(await probe.stub.delete(stranger)).toEqual({ result: "unknown" });
  expect(await probe.stub.detachFile({ ...stranger, fileId: "a" })).toEqual({ result: "unknown" });
  const newer = { ...probe.message, v: 2 } as unknown as typeof probe.message;
  expect(await probe.stub.describe(newer)).toEqual({ result: "version-unsupported", supported: 1 });
});

test("a file is found when its alarm has rung, with exact counts, also after the object lost its memory", async () => {
  const probe = new Probe();
  await probe.create([probe.file("a", text)]);
  expect(await probe.view()).toMatchObject({ counts: { in_progress: 1, completed: 0 }, usageBytes: 0 });
  expect(await probe.found("zyzzyva")).toEqual([]);
  await evictDurableObject(probe.stub);
  await probe.process();
  expect(await probe.view()).toMatchObject({
    counts: { in_progress: 0, completed: 1, failed: 0, cancelled: 0 },
    usageBytes: text.length + lexicalEmbedder.dimensions + 4,
  });
  await evictDurableObject(probe.stub);
  expect(await probe.found("zyzzyva")).toEqual(["a"]);
  expect(probe.control.opened).toBe(1);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(false);
});

test("a file that can't be searched fails for its own reason, which stays", async () => {
  const probe = new Probe();
  const long = Array.from({ length: 60 }, (_, at) => `Paragraph ${at} ${"word ".repeat(90)}.`).join("\n\n");
  await probe.create(
    [
      probe.file("binary", "\u0000\u0001\u0002"),
      probe.file("picture", "x", { mediaType: "image/png", filename: "a.png" }),
      probe.file("empty", " \n "),
      probe.file("long", long),
      probe.file("cut", "short", { bytes: 6 }),
      probe.file("huge", "x", { bytes: 8 * 1_048_576 + 1 }),
      probe.file("good", text),
    ],
    20,
  );
  probe.control.texts.delete("gone");
  await probe.attach([probe.file("gone", "x")]);
  probe.control.texts.delete("gone");
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET max_passages = 20");
  });
  await probe.process();
  const statuses = await Promise.all(
    ["binary", "picture", "empty", "long", "huge", "gone", "cut", "good"].map((id) => probe.status(id)),
  );
  expect(statuses).toEqual([
    expect.stringMatching(/^(?:invalid|unsupported)_file$/),
    "unsupported_file",
    "invalid_file",
    "invalid_file",
    "invalid_file",
    "invalid_file",
    "server_error",
    "completed",
  ]);
  expect(await probe.view()).toMatchObject({ counts: { completed: 1, failed: 7 } });
  expect(await probe.found("paragraph")).not.toContain("long");
});

test("what may pass is tried again, six times, and anew where the file is attached again", async () => {
  const probe = new Probe();
  await probe.create([probe.file("a", text)]);
  probe.control.embedFails = 3;
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.status("a")).toBe("in_progress");
  // It is not tried before its time.
  await runDurableObjectAlarm(probe.stub);
  expect(probe.control.embedded).toBe(1);
  await probe.process();
  expect([probe.control.embedded, await probe.status("a")]).toEqual([4, "completed"]);
  probe.control.embedFails = 6;
  await probe.attach([probe.file("b", text)]);
  await probe.process();
  expect(await probe.status("b")).toBe("server_error");
  expect(probe.control.embedFails).toBe(0);
  await probe.attach([probe.file("b", text)]);
  expect(await probe.status("b")).toBe("in_progress");
  await probe.process();
  expect(await probe.status("b")).toBe("completed");
});

const steps = ["open", "read", "embedder", "embed"] as const;

test.for(steps)(
  "killed at '%s': nothing half is found, and the next alarm makes it whole, once",
  async (step) => {
    const probe = new Probe();
    await probe.create([probe.file("a", text), probe.file("b", `${text} Indeed.`)]);
    const { ringing } = await probe.standsStillAt(step);
    await abortAllDurableObjects();
    await ringing;
    expect(await probe.found("zyzzyva")).toEqual([]);
    expect(await probe.view()).toMatchObject({ counts: { in_progress: 2 }, usageBytes: 0 });
    await probe.process();
    expect((await probe.found("zyzzyva")).sort()).toEqual(["a", "b"]);
    expect(await probe.view()).toMatchObject({ counts: { in_progress: 0, completed: 2 } });
  },
);

test("a file that kills its object every time is given up", async () => {
  const probe = new Probe();
  await probe.create([probe.file("a", text)]);
  for (let kills = 0; kills < 6; kills += 1) {
    await probe.dueNow();
    const { ringing } = await probe.standsStillAt("open");
    await abortAllDurableObjects();
    await ringing;
  }
  expect(await probe.status("a")).toBe("in_progress");
  await probe.dueNow();
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.status("a")).toBe("server_error");
  expect(probe.control.opened).toBe(6);
});

const removals = {
  "the file is deleted": (probe: Probe) => probe.stub.forgetFile({ ...probe.message, fileId: "a" }),
  "it is taken out": (probe: Probe) => probe.stub.detachFile({ ...probe.message, fileId: "a" }),
  "the store is deleted": (probe: Probe) => probe.stub.delete(probe.message),
  "its batch is cancelled": (probe: Probe) => probe.stub.cancelBatch({ ...probe.message, batchId: "vsfb_1" }),
};

test.for(steps.flatMap((step) => Object.entries(removals).map(([name, remove]) => ({ step, name, remove }))))(
  "$name while it is at '$step': nothing of it is left",
  async ({ step, remove, name }) => {
    const probe = new Probe();
    await probe.create();
    await probe.attach([probe.file("a", text)], "vsfb_1");
    const { ringing } = await probe.standsStillAt(step);
    await remove(probe);
    await probe.goOn();
    await ringing;
    expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
    if (name === "the store is deleted") return;
    expect(await probe.found("zyzzyva")).toEqual([]);
    expect(await probe.view()).toMatchObject({ usageBytes: 0, counts: { in_progress: 0, completed: 0 } });
  },
);

test("wanted otherwise while it is worked on, it is made as it is wanted now", async () => {
  const probe = new Probe();
  const long = Array.from({ length: 30 }, (_, at) => `Sentence ${at} of ${"many words ".repeat(20)}.`).join(
    " ",
  );
  await probe.create([probe.file("a", long)]);
  const { ringing } = await probe.standsStillAt("embed");
  const wanted = probe.file("a", long, {
    chunking: { maxTokens: 4096, overlapTokens: 0 },
    attributes: { year: 2026 },
  });
  await probe.attach([wanted]);
  await probe.goOn();
  await ringing;
  expect(await probe.status("a")).toBe("in_progress");
  await probe.process();
  const search = { queries: ["sentence"], maxResults: 50, filters: null, scoreThreshold: 0, rerank: false };
  expect(await probe.stub.search({ ...probe.message, search })).toMatchObject({
    passages: [{ fileId: "a", attributes: { year: 2026 } }],
  });
});

test("what was found is erased with its file, from every table", async () => {
  const probe = new Probe();
  await probe.create([probe.file("a", text), probe.file("b", "Something else.")]);
  await probe.process();
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(true);
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  expect(await probe.found("zyzzyva")).not.toContain("a");
  await probe.dueNow();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
  expect(await probe.found("something")).toEqual(["b"]);
});

test("a store that was deleted with text in it holds none when its alarm has rung", async () => {
  const probe = new Probe();
  await probe.create([probe.file("a", text)], 1000, { name: "zyzzyva", metadata: { zyzzyva: "zyzzyva" } });
  await probe.process();
  await probe.stub.delete(probe.message);
  await probe.dueNow();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
});

test("a deleted file never comes again, a store that was deleted stays so, and in a day nothing is left of it", async () => {
  const probe = new Probe();
  await probe.create([probe.file("a", text)]);
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  await probe.stub.forgetFile({ ...probe.message, fileId: "late" });
  for (const id of ["a", "late"])
    expect(await probe.attach([probe.file(id, text)])).toEqual({ result: "file-unknown", fileId: id });
  await probe.stub.delete(probe.message);
  expect(await probe.create()).toEqual({ result: "unknown" });
  expect(await probe.stub.delete(probe.message)).toEqual({ result: "unknown" });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET deleted_ms = 1");
  });
  await runDurableObjectAlarm(probe.stub);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT count(*) AS n FROM sqlite_master WHERE name = 'head'").one()).toEqual({
      n: 0,
    });
  });
  const never = new Probe();
  expect(await never.stub.delete(never.message)).toEqual({ result: "deleted" });
  expect(await never.create()).toEqual({ result: "unknown" });
});

test("a batch counts its own files, is made once, and cancelled leaves what was done", async () => {
  const probe = new Probe();
  await probe.create([probe.file("alone", text)]);
  const files = ["a", "b", "c"].map((id) => probe.file(id, `${text} ${id}`));
  const batch = await probe.attach(files, "vsfb_1");
  expect(batch).toMatchObject({ batch: { id: "vsfb_1", counts: { in_progress: 3 } } });
  expect(await probe.attach([probe.file("d", text)], "vsfb_1")).toMatchObject({
    batch: { counts: { in_progress: 3 } },
  });
  await runDurableObjectAlarm(probe.stub);
  await runDurableObjectAlarm(probe.stub);
  const cancelled = await probe.stub.cancelBatch({ ...probe.message, batchId: "vsfb_1" });
  expect(cancelled).toMatchObject({ batch: { counts: { in_progress: 0, completed: 1, cancelled: 2 } } });
  await probe.process();
  expect(await probe.view()).toMatchObject({ counts: { completed: 2, cancelled: 2, in_progress: 0 } });
  const listed = await probe.stub.listFiles({
    ...probe.message,
    ...all,
    status: "cancelled",
    batchId: "vsfb_1",
  });
  expect(listed).toMatchObject({ files: [{ fileId: "c" }, { fileId: "b" }], hasMore: false });
  expect(await probe.stub.getBatch({ ...probe.message, batchId: "vsfb_2" })).toEqual({ result: "unknown" });
  expect(await probe.stub.cancelBatch({ ...probe.message, batchId: "vsfb_2" })).toEqual({
    result: "unknown",
  });
});

const all = { after: null, before: null, limit: 100, order: "desc", status: null, batchId: null } as const;

test("pages go through all files, either way, also behind one that was taken out meanwhile", async () => {
  const probe = new Probe();
  const ids = Array.from({ length: 11 }, (_, at) => `f${at}`);
  await probe.create(ids.map((id) => probe.file(id, text)));
  for (const order of ["asc", "desc"] as const) {
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const page = await probe.stub.listFiles({ ...probe.message, ...all, after, limit: 3, order });
      if (page.result !== "ok") throw new Error(page.result);
      seen.push(...page.files.map(({ fileId }) => fileId));
      after = seen.at(-1) ?? null;
      more = page.hasMore;
    }
    expect(seen).toEqual(order === "asc" ? ids : ids.toReversed());
  }
  const ahead = { ...all, before: "f5", limit: 2, order: "asc" } as const;
  expect(await probe.stub.listFiles({ ...probe.message, ...ahead })).toMatchObject({
    files: [{ fileId: "f3" }, { fileId: "f4" }],
    hasMore: true,
  });
  await probe.stub.detachFile({ ...probe.message, fileId: "f5" });
  expect(
    await probe.stub.listFiles({ ...probe.message, ...all, after: "f5", limit: 1, order: "asc" }),
  ).toMatchObject({ files: [{ fileId: "f6" }] });
  expect(await probe.stub.listFiles({ ...probe.message, ...all, after: "f99" })).toEqual({
    result: "cursor-unknown",
    cursor: "after",
  });
});

test("a store that nobody used for its days expires by its alarm, and a search puts that off", async () => {
  const probe = new Probe();
  await probe.create([probe.file("a", text)], 1000, { expiresAfterDays: 1 });
  await probe.process();
  const age = (days: number) =>
    runInDurableObject(probe.stub, (_instance, { storage }) => {
      storage.sql.exec("UPDATE head SET active_ms = ?", Date.now() - days * 86_400_000);
    });
  await age(0.9);
  expect(await probe.found("zyzzyva")).toEqual(["a"]);
  await runDurableObjectAlarm(probe.stub);
  expect((await probe.view()).expiredMs).toBeNull();
  await age(1.1);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await probe.view()).toMatchObject({ expiredMs: expect.any(Number) as number, usageBytes: 0 });
  await probe.dueNow();
  await runDurableObjectAlarm(probe.stub);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
  expect(await probe.attach([probe.file("b", text)])).toEqual({ result: "expired" });
  const search = { queries: ["x"], maxResults: 1, filters: null, scoreThreshold: 0, rerank: false };
  expect(await probe.stub.search({ ...probe.message, search })).toEqual({ result: "expired" });
});

test("many at once: files come, are searched and go together, and every count is exact at the end", async () => {
  const probe = new Probe();
  await probe.create();
  const ids = Array.from({ length: 40 }, (_, at) => `m${at}`);
  await Promise.all([
    ...ids.map((id) => probe.attach([probe.file(id, `${text} Number ${id}.`)])),
    ...ids.slice(0, 10).map(async () => probe.found("zyzzyva")),
  ]);
  await Promise.all([
    probe.process(),
    ...ids.slice(0, 15).map(async (fileId) => probe.stub.forgetFile({ ...probe.message, fileId })),
    ...ids.slice(0, 10).map(async () => probe.found("zyzzyva")),
  ]);
  const view = await probe.view();
  expect(view.counts).toEqual({ in_progress: 0, completed: 25, failed: 0, cancelled: 0 });
  const listed = await probe.stub.listFiles({ ...probe.message, ...all });
  if (listed.result !== "ok") throw new Error(listed.result);
  expect(listed.files.reduce((sum, { usageBytes }) => sum + usageBytes, 0)).toBe(view.usageBytes);
});
