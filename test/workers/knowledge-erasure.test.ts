/** `DELETE /admin/knowledge`, and what the deletion of a tenant takes with it. */
import { beforeAll, expect, test } from "vitest";
import { platformToken } from "./admin-fixture.ts";
import { putTenant, send } from "./edge-under-test.ts";
import { callerOf, formOf, processed, type Caller } from "./knowledge-fixture.ts";

beforeAll(async () => {
  await putTenant("forgets", {});
  await putTenant("remembers", {});
  await putTenant("leaves", {});
});

const saysUntil =
  /being erased: no file, no vector store and no batch is taken before 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\.$/;

async function withKnowledge(caller: Caller): Promise<{ readonly fileId: string; readonly storeId: string }> {
  const fileId = await caller.upload("a.txt", "The zyzzyva is a weevil.");
  const { id: storeId } = (await caller.ask("POST", "/v1/vector_stores", { file_ids: [fileId] })).body;
  await processed(caller, storeId);
  return { fileId, storeId };
}

async function statuses(caller: Caller, { fileId, storeId }: { fileId: string; storeId: string }) {
  const content = await caller.send(`/v1/files/${fileId}/content`);
  await content.arrayBuffer();
  const search = await caller.ask("POST", `/v1/vector_stores/${storeId}/search`, { query: "zyzzyva" });
  return [(await caller.ask("GET", `/v1/files/${fileId}`)).status, content.status, search.status];
}

test("an admin erases what one user has, and then what all have; both are in the log", async () => {
  const admin = await callerOf("forgets", "root", { scope: "tenant:admin" });
  const [ann, bob] = [await callerOf("forgets", "ann"), await callerOf("forgets", "bob/2")];
  const other = await callerOf("remembers", "ann");
  const [anns, bobs, others] = [
    await withKnowledge(ann),
    await withKnowledge(bob),
    await withKnowledge(other),
  ];
  expect((await ann.ask("DELETE", "/admin/knowledge")).status).toBe(403);
  expect(await admin.ask("DELETE", "/admin/knowledge?user=")).toMatchObject({
    status: 400,
    body: { error: { param: "user" } },
  });
  expect((await admin.ask("DELETE", "/admin/knowledge?tenant=remembers")).status).toBe(404);
  expect((await admin.ask("DELETE", "/admin/knowledge?user=ann")).body).toEqual({
    object: "knowledge.erased",
    tenant: "forgets",
    user: "ann",
    pending: 0,
  });
  expect(await statuses(ann, anns)).toEqual([404, 404, 404]);
  expect(await statuses(bob, bobs)).toEqual([200, 200, 200]);
  await withKnowledge(ann);
  expect((await admin.ask("DELETE", "/admin/knowledge")).body).toMatchObject({ user: null, pending: 0 });
  for (const caller of [ann, bob])
    for (const list of ["/v1/files", "/v1/vector_stores"])
      expect((await caller.ask("GET", list)).body["data"]).toEqual([]);
  expect(await statuses(other, others)).toEqual([200, 200, 200]);
  const log = (await admin.ask("GET", "/admin/audit")).body["data"] as { action: string; subject: string }[];
  expect(
    log
      .filter(({ action }) => action === "knowledge.erase")
      .map(({ subject }) => subject)
      .sort(),
  ).toEqual(["forgets", "user:ann"]);
});

test("a tenant's deletion erases what it and its users have, and isolates that still know it take nothing new, and say why and until when", async () => {
  const admin = await callerOf("leaves", "root", { scope: "tenant:admin" });
  const ann = await callerOf("leaves", "ann");
  const kept = await withKnowledge(ann);
  const form = formOf("rules.md", "Nobody feeds the zyzzyva.");
  await admin.send("/v1/files?visibility=tenant", { method: "POST", body: form });
  const headers = { authorization: `Bearer ${await platformToken()}` };
  expect((await send("/admin/tenants/leaves", { method: "DELETE", headers })).status).toBe(200);
  expect(await statuses(ann, kept)).toEqual([404, 404, 404]);
  expect((await ann.ask("GET", "/v1/files?visibility=tenant")).body["data"]).toEqual([]);
  for (const [caller, path] of [
    [ann, "/v1/files"],
    [admin, "/v1/files?visibility=tenant"],
  ] as const) {
    const late = await caller.send(path, { method: "POST", body: formOf("late.txt", "zyzzyva") });
    expect([late.status, late.headers.get("x-should-retry")]).toEqual([409, "false"]);
    expect(await late.json()).toMatchObject({
      error: { code: "conflict", message: expect.stringMatching(saysUntil) as string },
    });
  }
  expect(await ann.ask("POST", "/v1/vector_stores", {})).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringMatching(saysUntil) as string } },
  });
  // A tenant that is made anew by its name within these minutes is told the same.
  await putTenant("leaves", {});
  const again = await ann.send("/v1/files", { method: "POST", body: formOf("new.txt", "zyzzyva") });
  expect(again.status).toBe(409);
  expect(await again.json()).toMatchObject({
    error: { message: expect.stringMatching(saysUntil) as string },
  });
});
