/**
 * A model's server in place of `fetch`, for tests that go through the whole Worker: vLLM's streams and whole answers with exact
 * usage. What it does is said by the last message: `tokens=7`, or a fault.
 */
interface EngineBody {
  readonly stream?: boolean;
  readonly model: string;
  readonly messages: readonly { readonly content: string }[];
}

/** `die`: 500 of every replica. `reject`: 400. `cut`: breaks after three tokens. `empty`: breaks before the first. */
const faultPattern = /\b(die|reject|cut|empty)\b/;
const promptTokens = 11;

export async function fakeEngine(url: string, init: RequestInit | undefined): Promise<Response> {
  const { pathname } = new URL(url);
  if (pathname === "/health") return new Response(null);
  if (pathname === "/metrics") return new Response("vllm:num_requests_running 0\n");
  if (typeof init?.body !== "string") throw new Error(`nothing was sent to ${url}`);
  const body = JSON.parse(init.body) as EngineBody;
  const text = body.messages.at(-1)?.content ?? "";
  const fault = faultPattern.exec(text)?.[1];
  if (fault === "die") return new Response("oops", { status: 500 });
  if (fault === "reject")
    return Response.json({ error: { message: "no such grammar", code: 400 } }, { status: 400 });
  const tokens = Number(/tokens=(\d+)/.exec(text)?.[1] ?? 3);
  return body.stream === true ? stream(body, tokens, fault) : whole(body, tokens);
}

function usage(completion: number) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
  };
}

function whole({ model }: EngineBody, tokens: number): Response {
  return Response.json({
    id: "chatcmpl-engine",
    object: "chat.completion",
    created: 1_760_000_000,
    model,
    choices: [
      { index: 0, message: { role: "assistant", content: "x ".repeat(tokens) }, finish_reason: "stop" },
    ],
    usage: usage(tokens),
  });
}

function stream({ model }: EngineBody, tokens: number, fault: string | undefined): Response {
  const head = { id: "chatcmpl-engine", object: "chat.completion.chunk", created: 1_760_000_000, model };
  const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
  const chunk = (delta: object, finish: string | null, completion: number) =>
    event({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      usage: usage(completion),
    });
  const events = [
    chunk({ role: "assistant", content: "" }, null, 0),
    ...Array.from({ length: tokens }, (_, at) => chunk({ content: `x${at} ` }, null, at + 1)),
    chunk({ content: "" }, "stop", tokens),
    event({ ...head, choices: [], usage: usage(tokens) }),
    "data: [DONE]\n\n",
  ];
  const breaksAt = fault === "cut" ? 4 : fault === "empty" ? 1 : Infinity;
  const encoder = new TextEncoder();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const next = events[sent];
        if (sent >= breaksAt) controller.error(new TypeError("connection lost"));
        else if (next === undefined) controller.close();
        else controller.enqueue(encoder.encode(next));
        sent += 1;
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}
