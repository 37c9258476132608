/** PDF and Office files by the official client, on plain workerd. */
import OpenAI from "openai";
import { afterAll, beforeAll, test } from "vitest";
import { tokenFor } from "../callers.ts";
import { documentNames, expectFound, storeWith } from "../found-documents.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

let world: ServeWorld;
beforeAll(async () => {
  world = await startServeWorld();
});
afterAll(async () => {
  await world.stop();
});

test("on plain workerd they are read by the same reader", async () => {
  const client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: await tokenFor(), maxRetries: 0 });
  await expectFound(client, await storeWith(client, documentNames));
});
