/** The official client's socket of the Responses API, against the running product. */
import { ResponsesWS } from "openai/resources/responses/ws";
import type { Responses } from "openai/resources/responses/responses";
import { expect, test } from "vitest";
import { clientFor } from "./product.ts";

test("the official client's socket answers turn after turn", async () => {
  const client = await clientFor();
  const socket = new ResponsesWS(client);
  const asking = { type: "response.create", model: "auto" } as const;
  let text = "";
  let previous: string | null = null;
  const ended: Responses.Response[] = [];
  const both = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("response.output_text.delta", (event) => {
      text += event.delta;
    });
    socket.on("response.completed", ({ response }) => {
      ended.push(response);
      if (ended.length === 2) return resolve();
      previous = response.id;
      socket.send({ ...asking, input: "And you?", previous_response_id: previous });
    });
  });
  socket.send({ ...asking, input: "Hello" });
  await both;
  socket.close();
  expect(ended.map((response) => response.status)).toEqual(["completed", "completed"]);
  expect(ended[1]?.previous_response_id).toBe(ended[0]?.id);
  const stored = await Promise.all(ended.map(({ id }) => client.responses.retrieve(id)));
  expect(stored.map((response) => response.output_text).join("")).toBe(text);
});
