/** A server elsewhere that tools of tenants ask, beside the scripted engine: says what it is told to, and remembers what it was asked. */
import { beforeAll, beforeEach, vi } from "vitest";
import type { ScriptedEngine } from "./scripted-engine.ts";

export interface AskedTool {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export class ToolServer {
  readonly asked: AskedTool[] = [];
  /** By path; absent: 404. */
  readonly answers = new Map<string, (asked: AskedTool) => Response | Promise<Response>>();
}

export const toolOrigin = "https://api.example.com";

/** To be called behind `scriptedEdge`, whose fetch it goes before. */
export function besideEngine(engine: ScriptedEngine): ToolServer {
  const server = new ToolServer();
  beforeAll(() => {
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const url = new URL(new Request(input).url);
      if (url.origin !== toolOrigin) return engine.fetch(input, init);
      const asked = {
        method: init?.method ?? "GET",
        url: url.href,
        headers: { ...(init?.headers as Record<string, string>) },
        body: typeof init?.body === "string" ? init.body : null,
      };
      server.asked.push(asked);
      return server.answers.get(url.pathname)?.(asked) ?? new Response("nothing here", { status: 404 });
    });
  });
  beforeEach(() => {
    server.asked.length = 0;
    server.answers.clear();
  });
  return server;
}

/** Deltas of an engine that calls these tools. */
export function calls(...all: readonly (readonly [name: string, args: object | string])[]) {
  return {
    deltas: [
      {
        tool_calls: all.map(([name, args], index) => ({
          index,
          id: `call_${index}`,
          type: "function",
          function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
        })),
      },
    ],
    finish: "tool_calls",
  };
}

export function says(...words: readonly string[]) {
  return { deltas: words.map((content) => ({ content })), finish: "stop" };
}

export const orderTool = {
  name: "get_order",
  description: "Looks an order up",
  base_url: `${toolOrigin}/v1`,
  path: "/orders/{id}",
  parameters: {
    type: "object",
    properties: { id: { type: "string" }, expand: { type: "boolean" } },
    required: ["id"],
    additionalProperties: false,
  },
  headers: [{ name: "authorization", secret: "TOOLS_TOOLED__ORDERS_KEY", prefix: "Bearer " }],
};

export const refundTool = {
  name: "refund",
  description: "Pays an order back",
  method: "POST",
  base_url: toolOrigin,
  path: "/refunds",
  parameters: {
    type: "object",
    properties: { order: { type: "string" } },
    required: ["order"],
    additionalProperties: false,
  },
};

/** Messages of what the engine was asked last, behind its instructions. */
export function messagesBehind(engine: ScriptedEngine): readonly Record<string, unknown>[] {
  const messages = engine.asked.at(-1)?.["messages"] as readonly Record<string, unknown>[];
  return messages.filter(({ role }) => role !== "system");
}
