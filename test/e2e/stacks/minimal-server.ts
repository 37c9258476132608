/**
 * The least that calls itself OpenAI-compatible: it lists a model and chats, and knows nothing else. No usage, no metrics, no
 * tokenizer; fields that it does not know are an error, as with strict servers.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface MinimalServer {
  readonly url: string;
  /** Bodies of the chats that it was asked for. */
  readonly chats: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

const known = new Set(["model", "messages", "stream", "max_tokens", "temperature", "stop"]);
const words = ["Hello", " from", " a", " small", " server."];

export async function startMinimalServer(): Promise<MinimalServer> {
  const chats: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((text) => {
      if (request.url === "/v1/models" && request.method === "GET")
        sendJson(response, 200, { object: "list", data: [{ id: "tiny", object: "model" }] });
      else if (request.url === "/v1/chat/completions" && request.method === "POST") {
        const body = JSON.parse(text) as Record<string, unknown>;
        chats.push(body);
        chat(body, response);
      } else sendJson(response, 404, { detail: "Not Found" });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    chats,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function chat(body: Record<string, unknown>, response: ServerResponse): void {
  const unknown = Object.keys(body).find((field) => !known.has(field));
  if (unknown !== undefined) {
    sendJson(response, 400, {
      error: { message: `unknown field ${unknown}`, type: "invalid_request_error" },
    });
    return;
  }
  if (body["stream"] !== true) {
    const message = { role: "assistant", content: words.join("") };
    sendJson(response, 200, { choices: [{ index: 0, message, finish_reason: "stop" }] });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const content of words)
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
  response.end(
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`,
  );
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}
