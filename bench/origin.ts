/**
 * The model server of the bench: vLLM's bytes at next to no cost, so that what is measured is the Worker in front of
 * it. Every token carries the moment it was written (CLOCK_MONOTONIC, which all processes of a machine share), so the
 * load generator can say how long a chunk was on its way. Not the dev fleet: no tokenizer, slots or faults.
 *
 * Run as `node bench/origin.ts PORT`. `POST /_bench {"intervalMs": 20, "firstTokenMs": 0}` sets its speed.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { processMicroseconds } from "./clock.ts";
import { Ticker } from "./ticker.ts";

const promptTokens = 16;
const ticker = new Ticker();
const speed = { intervalMs: 20, firstTokenMs: 0 };

interface AskedFor {
  model: string;
  stream?: boolean;
  max_tokens?: number;
  max_completion_tokens?: number;
  stream_options?: { include_usage?: boolean; continuous_usage_stats?: boolean };
}

function usage(completionTokens: number): string {
  return `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens + completionTokens},"completion_tokens":${completionTokens}}`;
}

function answerWhole(response: ServerResponse, asked: AskedFor, tokens: number): void {
  const text = " token".repeat(tokens);
  const body = `{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"${asked.model}","choices":[{"index":0,"message":{"role":"assistant","content":"${text}","refusal":null,"tool_calls":[],"reasoning":null},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}],"service_tier":null,"system_fingerprint":null,"usage":${usage(tokens)},"prompt_logprobs":null,"kv_transfer_params":null}`;
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function answerStream(response: ServerResponse, asked: AskedFor, tokens: number): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const head = `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"${asked.model}","choices":[`;
  const continuous = asked.stream_options?.continuous_usage_stats === true;
  const tail = (count: number): string => (continuous ? `],"usage":${usage(count)}}\n\n` : `]}\n\n`);
  let sent = 0;
  let gone = false;
  response.on("close", () => {
    gone = true;
  });
  const next = (): boolean => {
    if (gone) return false;
    if (sent === 0)
      response.write(
        `${head}{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}${tail(0)}`,
      );
    sent++;
    response.write(
      `${head}{"index":0,"delta":{"content":" @${processMicroseconds()};"},"logprobs":null,"finish_reason":null,"token_ids":null}${tail(sent)}`,
    );
    if (sent < tokens) return true;
    response.write(
      `${head}{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}${tail(sent)}`,
    );
    if (asked.stream_options?.include_usage === true)
      response.write(
        `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"${asked.model}","choices":[],"usage":${usage(sent)}}\n\n`,
      );
    response.end("data: [DONE]\n\n");
    return false;
  };
  ticker.add(next, speed.firstTokenMs * 1000, speed.intervalMs * 1000);
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = "";
  request.setEncoding("utf8");
  for await (const part of request) text += String(part);
  return text;
}

const server = createServer((request, response) => {
  void readAll(request).then((body) => {
    if (request.url === "/_bench") {
      Object.assign(speed, JSON.parse(body));
      response.end();
    } else if (request.url === "/v1/chat/completions") {
      const asked = JSON.parse(body) as AskedFor;
      const tokens = asked.max_completion_tokens ?? asked.max_tokens ?? 16;
      if (asked.stream === true) answerStream(response, asked, tokens);
      else answerWhole(response, asked, tokens);
    } else if (request.url === "/v1/models") {
      response.setHeader("content-type", "application/json");
      response.end(
        `{"object":"list","data":[{"id":"bench","object":"model","created":1760000000,"owned_by":"vllm","root":"bench","max_model_len":32768}]}`,
      );
    } else if (request.url === "/health") {
      response.end();
    } else {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(`{"detail":"Not Found"}`);
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.send?.("ready"));
