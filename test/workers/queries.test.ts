import { expect, test } from "vitest";
import { bearer, send } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";

scriptedEdge({ queries: {} });

/** What stands in a URL is refused as what stands in a body: by its name, in `param` and at the beginning of a sentence. */
test.for([
  ["/v1/conversations?limit=0", "limit"],
  ["/v1/conversations?limit=101", "limit"],
  ["/v1/conversations?limit=ten", "limit"],
  ["/v1/conversations?order=new", "order"],
  ["/v1/conversations?after=none", "after"],
  ["/v1/conversation_deletions?after=none", "after"],
  ["/v1/conversations/mine/items?include[]=nothing", "include"],
  ["/v1/chat/completions?limit=0", "limit"],
  ["/v1/chat/completions?after=none", "after"],
  ["/v1/files?limit=0", "limit"],
  ["/v1/vector_stores?before=none", "before"],
  ["/v1/responses/resp_1?include=nothing", "include"],
  // Whoever writes it so wants events: an object in their place would be read as a broken stream.
  ["/v1/responses/resp_1?stream=1", "stream"],
  ["/v1/responses/resp_1?stream=True", "stream"],
  ["/v1/chat/completions/chatcmpl-1?stream=yes", "stream"],
] as const)("%s", async ([path, param]) => {
  const response = await send(path, { headers: { authorization: await bearer("queries", "ann") } });
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({
    error: {
      type: "invalid_request_error",
      code: "invalid_value",
      param,
      message: expect.stringMatching(new RegExp(`^'${param}' .+\\.$`)) as string,
    },
  });
});

test("a watch can't go on from what is none of its events", async () => {
  const headers = { authorization: await bearer("queries", "ann"), "last-event-id": "x y" };
  const response = await send("/v1/conversations/mine/watch", { headers });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: {
      param: "Last-Event-ID",
      message: expect.stringMatching(/^'Last-Event-ID' must .+\.$/) as string,
    },
  });
});

test.for(["", "?stream=false"])("no stream is asked for by %j: nothing there is not found", async (query) => {
  const headers = { authorization: await bearer("queries", "ann") };
  expect((await send(`/v1/responses/resp_1${query}`, { headers })).status).toBe(404);
});
