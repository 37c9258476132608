/** What counts against a caller's limits, and what is free: every route of the table, asked by somebody without anything left. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { costOf } from "../../src/shared/wire/route-costs.ts";
import { publicRoutes } from "../../src/shared/wire/routes.ts";
import { putTenant } from "./edge-under-test.ts";
import { callerOf, formOf, processed, type Caller } from "./knowledge-fixture.ts";
import { limitless } from "./scripted-edge.ts";

const routes = publicRoutes.filter(({ scopes }) => scopes?.length === 0);
const nameOf = ({ method, path }: { readonly method: string; readonly path: string }) => `${method} ${path}`;

/** The same user twice: what is there was made under the tier without limits. */
let spent: Caller;
let ids: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  const limits = { ...limitless.user, free: { requests_per_hour: 1 } };
  await putTenant("counts", {
    limits: { ...limitless, user: limits },
    retrieval: { max_file_bytes: 100_000_000 },
  });
  const maker = await callerOf("counts", "kim");
  const file = await maker.upload("a.txt", "The office is closed on Monday.");
  const input = await maker.upload("batch.jsonl", "{}", { purpose: "batch" });
  const store = (await maker.ask("POST", "/v1/vector_stores", { file_ids: [file] })).body.id;
  await processed(maker, store);
  const announced = { filename: "b.txt", purpose: "assistants", bytes: 1, mime_type: "text/plain" };
  const upload = (await maker.ask("POST", "/v1/uploads", announced)).body.id;
  const conversation = (await maker.ask("POST", "/v1/conversations", {})).body.id;
  ids = { file, input, store, upload, conversation };
  spent = await callerOf("counts", "kim", { tier: "free" });
  const last = await spent.send("/v1/conversations", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect([last.status, last.headers.get("x-ratelimit-remaining-requests")]).toEqual([200, "0"]);
});

/** By the first name of the path, what `{id}` stands for. */
function pathOf(path: string): string {
  const id =
    { files: "file", uploads: "upload", vector_stores: "store", conversations: "conversation" }[
      path.split("/")[2] ?? ""
    ] ?? "";
  return path
    .replace("{id}", ids[id] ?? "some-id")
    .replace("{file_id}", ids["file"] ?? "")
    .replaceAll(/\{\w+\}/g, "some-id");
}

/** What the route table's own example can't say: ids, and forms. */
function bodyOf(route: (typeof routes)[number]): string | FormData | undefined {
  const { file: file_id = "", input: input_file_id = "" } = ids;
  switch (nameOf(route)) {
    case "POST /v1/files":
      return formOf("c.txt", "text");
    case "POST /v1/uploads/{id}/parts": {
      const form = new FormData();
      form.append("data", new File(["x"], "part"));
      return form;
    }
    case "POST /v1/uploads/{id}/complete":
      return JSON.stringify({ part_ids: ["part_1"] });
    case "POST /v1/embeddings":
      return JSON.stringify({ model: "bge-small", input: "one text" });
    case "POST /v1/batches":
      return JSON.stringify({ input_file_id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    case "POST /v1/vector_stores":
      return "{}";
    case "POST /v1/vector_stores/{id}/files":
      return JSON.stringify({ file_id });
    case "POST /v1/vector_stores/{id}/file_batches":
      return JSON.stringify({ file_ids: [file_id] });
    default:
      return route.request === undefined ? undefined : JSON.stringify(route.request.example);
  }
}

async function ask(route: (typeof routes)[number]): Promise<Response> {
  const body = bodyOf(route);
  return spent.send(pathOf(route.path), {
    method: route.method,
    ...(typeof body === "string" && { headers: { "content-type": "application/json" } }),
    ...(body !== undefined && { body }),
  });
}

describe("somebody whose requests are used up", () => {
  test.each(routes.filter((route) => costOf(route) !== "free"))(
    "is refused $method $path, with the wait and what is left",
    async (route) => {
      const refused = await ask(route);
      expect(await refused.json()).toMatchObject({ error: { code: "insufficient_quota" } });
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(refused.headers.get("x-ratelimit-window-requests")).toBe("user/requests_per_hour");
    },
  );

  // What erases comes last: the others ask for the same things.
  const free = routes.filter((route) => costOf(route) === "free");
  test.each([
    ...free.filter(({ method }) => method !== "DELETE"),
    ...free.filter(({ method }) => method === "DELETE"),
  ])("is not refused $method $path", async (route) => {
    const answered = await ask(route);
    await answered.body?.cancel();
    expect([nameOf(route), answered.status]).not.toEqual([nameOf(route), 429]);
    expect(answered.status).toBeLessThan(500);
  });
});

describe("of what is refused", () => {
  const requests = async (caller: Caller): Promise<unknown> =>
    (await caller.ask("GET", "/v1/usage")).body["user"];

  test("what was wrong before the bytes came costs nothing, and a file that was taken for nothing counts", async () => {
    await putTenant("counts-files", { retrieval: { max_file_bytes: 1024 } });
    const lou = await callerOf("counts-files", "lou");
    const send = async (body: FormData | string): Promise<number> =>
      (await lou.send("/v1/files", { method: "POST", body })).status;
    expect(await send("no form")).toBe(415);
    expect(await send(formOf("a.txt", "x".repeat(1_000_000)))).toBe(413);
    expect(await requests(lou)).toMatchObject({ used: { requests: 0 } });
    expect(await send(formOf("a.txt", "x", { purpose: "none such" }))).toBe(400);
    expect(await requests(lou)).toMatchObject({ used: { requests: 1 } });
    expect(await send(formOf("a.txt", "x"))).toBe(200);
    expect(await requests(lou)).toMatchObject({ used: { requests: 2 } });
  });

  test("an Idempotency-Key that was used for other items costs nothing", async () => {
    await putTenant("counts-items", {});
    const nan = await callerOf("counts-items", "nan");
    const { id } = (await nan.ask("POST", "/v1/conversations", {})).body;
    const add = async (content: string): Promise<number> => {
      const headers = { "content-type": "application/json", "idempotency-key": "k1" };
      const body = JSON.stringify({ items: [{ role: "user", content }] });
      return (await nan.send(`/v1/conversations/${id}/items`, { method: "POST", headers, body })).status;
    };
    expect(await add("one")).toBe(200);
    await expect.poll(() => requests(nan)).toMatchObject({ used: { requests: 2 } });
    expect(await add("another")).toBe(422);
    await expect.poll(() => requests(nan)).toMatchObject({ used: { requests: 2 } });
  });

  test("a store or a file that is not there costs nothing", async () => {
    await putTenant("counts-stores", {});
    const max = await callerOf("counts-stores", "max");
    const none = `file-${"0".repeat(47)}`;
    expect((await max.ask("POST", "/v1/vector_stores", { file_ids: [none] })).status).toBe(404);
    const store = await max.ask("POST", "/v1/vector_stores", {});
    const attached = await max.ask("POST", `/v1/vector_stores/${store.body.id}/files`, { file_id: none });
    expect(attached.status).toBe(404);
    expect(await requests(max)).toMatchObject({ used: { requests: 1 } });
  });
});
