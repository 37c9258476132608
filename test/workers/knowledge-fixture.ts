/** Files and vector stores as a client sees them, inside workerd. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { bearer, post, send } from "./edge-under-test.ts";

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly id: string };
}

/** One user's requests. */
export interface Caller {
  ask(method: string, path: string, body?: object): Promise<Answer>;
  /** The file's id. */
  upload(
    filename: string,
    text: string | Uint8Array<ArrayBuffer>,
    fields?: Record<string, string>,
  ): Promise<string>;
  send(path: string, init?: RequestInit): Promise<Response>;
}

export async function callerOf(tenant: string, user: string, claims?: object): Promise<Caller> {
  const authorization = await bearer(tenant, user, claims);
  const answerOf = async (response: Response): Promise<Answer> => ({
    status: response.status,
    body: await response.json(),
  });
  const caller: Caller = {
    send: (path, { headers, ...init } = {}) => {
      const all = new Headers(headers);
      all.set("authorization", authorization);
      return send(path, { ...init, headers: all });
    },
    ask: async (method, path, body) =>
      answerOf(
        body === undefined ? await caller.send(path, { method }) : await post(path, authorization, body),
      ),
    upload: async (filename, text, fields = {}) => {
      const form = formOf(filename, text, fields);
      const answer = await answerOf(await caller.send("/v1/files", { method: "POST", body: form }));
      expect(answer).toMatchObject({ status: 200 });
      return answer.body.id;
    },
  };
  return caller;
}

export function formOf(
  filename: string,
  text: string | Uint8Array<ArrayBuffer>,
  fields: Readonly<Record<string, string>> = {},
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries({ purpose: "assistants", ...fields })) form.append(name, value);
  form.append("file", new File([text], filename));
  return form;
}

/** Lets the alarms of a store ring until none of its files waits. */
export async function processed(caller: Caller, storeId: string): Promise<Answer> {
  const stub = env.KNOWLEDGE_BASE.getByName(objectOfId(storeId)?.objectName ?? "");
  for (let rings = 0; rings < 200;) {
    const store = await caller.ask("GET", `/v1/vector_stores/${storeId}`);
    if (store.body["status"] !== "in_progress") return store;
    // Else it is ringing by itself: the test's own time limit ends what never ends.
    if (await runDurableObjectAlarm(stub)) rings += 1;
    else await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("a store that is never done");
}
