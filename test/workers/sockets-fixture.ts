/** What tests of response sockets stand on: their tenant, what a client says, and the objects behind a user's sockets. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import type { ScriptedEngine } from "./scripted-engine.ts";

/** The tenant is `sockets`. */
export function socketEdge(): ScriptedEngine {
  return scriptedEdge({ sockets: { cors: { origins: ["https://app.example.com"] } } });
}

export const create = { type: "response.create", model: "auto", max_output_tokens: 50, input: "Hi" };

export function bucketOf(user: string) {
  return env.TOKEN_BUCKET.getByName(bucketName("sockets", "user", user));
}

/** The object of the newest socket of this user: only the bucket that tells it of revocations knows its name. */
export async function sessionOf(user: string) {
  const names = await runInDurableObject(bucketOf(user), (_object, { storage }) =>
    Array.from(storage.kv.list({ prefix: "socket/" }), ([name]) => name.slice("socket/".length)),
  );
  return env.SESSION.getByName(names.toSorted((one, other) => one.localeCompare(other)).at(-1) ?? "");
}
