import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { expect, test } from "vitest";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { KnowledgeProbe, steps, text } from "../../test/workers/knowledge-probe.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("a file is found when its alarm has rung, with exact counts, also after the object lost its memory", async () => {
  const probe = new KnowledgeProbe();
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
  const probe = new KnowledgeProbe();
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
  const probe = new KnowledgeProbe();
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

test.for(steps)(
  "killed at '%s': nothing half is found, and the next alarm makes it whole, once",
  async (step) => {
    const probe = new KnowledgeProbe();
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
  const probe = new KnowledgeProbe();
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

test("wanted otherwise while it is worked on, it is made as it is wanted now", async () => {
  const probe = new KnowledgeProbe();
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

test("taken out and put in again while it is worked on, it is made as it is wanted now", async () => {
  const probe = new KnowledgeProbe();
  const long = Array.from({ length: 30 }, (_, at) => `Sentence ${at} of ${"many words ".repeat(20)}.`).join(
    " ",
  );
  await probe.create([probe.file("a", long)]);
  const { ringing } = await probe.standsStillAt("embed");
  await probe.stub.detachFile({ ...probe.message, fileId: "a" });
  await probe.attach([probe.file("a", long, { chunking: { maxTokens: 4096, overlapTokens: 0 } })]);
  await probe.goOn();
  await ringing;
  expect(await probe.status("a")).toBe("in_progress");
  await probe.process();
  const search = { queries: ["sentence"], maxResults: 50, filters: null, scoreThreshold: 0, rerank: false };
  const found = await probe.stub.search({ ...probe.message, search });
  expect(found.result === "ok" && found.passages.length).toBe(1);
});

test("a first file that the tables refuse fails after its tries, and the store goes on", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text)]);
  // The search below has one for its question.
  probe.control.spoils = 7;
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.found("zyzzyva")).toEqual([]);
  await probe.process();
  expect([await probe.status("a"), probe.control.spoils]).toEqual(["server_error", 0]);
  await probe.attach([probe.file("b", text)]);
  await probe.process();
  expect(await probe.found("zyzzyva")).toEqual(["b"]);
});

test("where the embedder was exchanged, a file that is attached again is embedded anew, and else not", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text), probe.file("b", text)]);
  await probe.process();
  const again = async (id: string) => {
    await probe.attach([probe.file(id, text)]);
    return probe.status(id);
  };
  expect(await again("a")).toBe("completed");
  // It can't be said which one there is.
  probe.control.embedderId = "none";
  expect(await again("a")).toBe("completed");
  probe.control.embedderId = "another";
  // By letters alone, and so by vectors alone.
  expect(await probe.found("zyzzyvo")).toEqual([]);
  expect(await again("a")).toBe("in_progress");
  await probe.process();
  expect(await probe.found("zyzzyvo")).toEqual(["a"]);
  expect([await again("a"), await probe.status("b")]).toEqual(["completed", "completed"]);
});
