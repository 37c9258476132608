export interface ScriptedRound {
  readonly deltas: readonly object[];
  /** `null`: the stream breaks off. */
  readonly finish: string | null;
  /** In place of the engine's own. */
  readonly pause?: { readonly at: number; readonly until: Promise<void> };
  /** The request is refused with it. */
  readonly status?: number;
}

interface Said {
  readonly tokens: number;
  readonly characters: number;
}

/**
 * A model that says exactly what it is told to, token by token, in vLLM's form; remembers what it was asked and whether it
 * was stopped. In place of `fetch`.
 */
export class ScriptedEngine {
  tokens: readonly string[] = ["Hello", " there"];
  /** In place of `tokens`: deltas as vLLM sends them, and how the stream ends; `null`: it breaks off. */
  script: ScriptedRound | null = null;
  /** One a request, in their order, each as `script`; the last one stays. Empty: `script`, or `tokens`. */
  readonly rounds: ScriptedRound[] = [];
  /** What it says to a body, before anything else is asked for it; `null`: the others say it. */
  roundFor: ((body: Record<string, unknown>) => ScriptedRound | null) | null = null;
  /** Every choice that was asked for says the same; else only the first says something. */
  saysAllChoices = false;
  /** What answers say that are not streamed, one a request; then `tokens`. */
  readonly wholes: (readonly string[])[] = [];
  /** The next answer that is not streamed comes when this is over, and says this. */
  holdWhole: { readonly until: Promise<void>; readonly says: readonly string[] } | null = null;
  /** Bodies of what it was asked, parsed, oldest first. */
  readonly asked: Record<string, unknown>[] = [];
  /** Streams that were let go before their end. */
  cancelled = 0;
  /** What it says that every prompt had; `null`: 10. */
  promptTokens: number | null = null;
  /** What `/tokenize` counts; `null`: it is not there. */
  counts: number | null = null;
  /** The same by what it is asked to count, as JSON; `null`: `counts` says it. */
  countsOf: ((prompt: string) => number) | null = null;
  /** What it had said where it is asked to go on from this text; `null`: just that. */
  heardAs: ((text: string) => string) | null = null;
  /** Awaited before the token at this index is said. */
  pause: { readonly at: number; readonly until: Promise<void> } | null = null;

  /** As it was made, for the next test. */
  reset(): void {
    this.tokens = ["Hello", " there"];
    this.script = null;
    this.rounds.length = 0;
    this.roundFor = null;
    this.saysAllChoices = false;
    this.wholes.length = 0;
    this.holdWhole = null;
    this.asked.length = 0;
    this.cancelled = 0;
    this.promptTokens = null;
    this.counts = null;
    this.countsOf = null;
    this.heardAs = null;
    this.pause = null;
  }

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const { pathname } = new URL(new Request(input).url);
    if (pathname === "/health") return new Response(null);
    if (pathname === "/metrics") return new Response("vllm:num_requests_running 0\n");
    if (typeof init?.body !== "string") throw new Error(`nothing was sent to ${pathname}`);
    const body = JSON.parse(init.body) as Record<string, unknown>;
    this.asked.push(body);
    if (pathname === "/tokenize") return this.#counted(JSON.stringify(body));
    if (pathname === "/v1/embeddings") return this.#vectors(body);
    if (pathname === "/v1/completions" && body["stream"] !== true) return this.#wholeText();
    return body["stream"] === true ? this.#stream(body, this.#said(body)) : await this.#whole();
  };

  #counted(prompt: string): Response {
    const count = this.countsOf?.(prompt) ?? this.counts;
    return count === null ? new Response(null, { status: 404 }) : Response.json({ count });
  }

  /** How many of its tokens the request holds already, where it is asked to go on (`continue_final_message`), and how much of the next. */
  #said({ messages, continue_final_message: goesOn }: Record<string, unknown>): Said {
    if (goesOn !== true) return { tokens: 0, characters: 0 };
    const last = (messages as { content: string }[]).at(-1)?.content ?? "";
    const text = this.heardAs?.(last) ?? last;
    let before = "";
    for (let tokens = 0; tokens <= this.tokens.length; tokens += 1) {
      const token = this.tokens[tokens] ?? "";
      if (before.trimEnd() === text) return { tokens, characters: 0 };
      const isWithin = text.startsWith(before) && text.length < before.length + token.trimEnd().length;
      if (isWithin && token.startsWith(text.slice(before.length)))
        return { tokens, characters: text.length - before.length };
      before += token;
    }
    throw new Error(`asked to go on from what it never said: ${last}`);
  }

  /** What the model reads of the last request, all messages in one text. */
  lastRead(): string {
    return JSON.stringify(this.asked.at(-1)?.["messages"] ?? this.asked.at(-1)?.["prompt"]);
  }

  #usage(completion: number, said = 0) {
    const prompt = this.promptTokens ?? 10 + said;
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  }

  /** One number for each input, its place among them. */
  async #vectors({ input }: Record<string, unknown>): Promise<Response> {
    await this.holdWhole?.until;
    const inputs = Array.isArray(input) ? input.length : 1;
    const data = Array.from({ length: inputs }, (_, index) => ({
      object: "embedding",
      index,
      embedding: [index],
    }));
    const prompt = 5 * inputs;
    return Response.json({
      object: "list",
      model: "m",
      data,
      usage: { prompt_tokens: prompt, total_tokens: prompt },
    });
  }

  async #wholeText(): Promise<Response> {
    await this.holdWhole?.until;
    return Response.json({
      id: "engine",
      object: "text_completion",
      created: 1_760_000_000,
      model: "m",
      choices: [{ index: 0, text: this.tokens.join(""), logprobs: null, finish_reason: "stop" }],
      usage: this.#usage(this.tokens.length),
    });
  }

  async #whole(): Promise<Response> {
    const held = this.holdWhole;
    await held?.until;
    const tokens = held?.says ?? this.wholes.shift() ?? this.tokens;
    return Response.json({
      id: "engine",
      object: "chat.completion",
      created: 1_760_000_000,
      model: "m",
      choices: [
        { index: 0, message: { role: "assistant", content: tokens.join("") }, finish_reason: "stop" },
      ],
      usage: this.#usage(tokens.length),
    });
  }

  #stream(asked: Record<string, unknown>, { tokens: said, characters }: Said): Response {
    const tokens = this.tokens.slice(said).map((token, at) => (at === 0 ? token.slice(characters) : token));
    const chunk = (delta: object, finish: string | null, completion: number, index = 0) =>
      `data: ${JSON.stringify({
        id: "engine",
        object: "chat.completion.chunk",
        created: 1_760_000_000,
        model: "m",
        choices: [{ index, logprobs: null, ...parted(delta), finish_reason: finish }],
        usage: this.#usage(completion, said),
      })}\n\n`;
    const script =
      this.roundFor?.(asked) ??
      (this.rounds.length > 1 ? this.rounds.shift() : (this.rounds[0] ?? this.script));
    if (script?.status !== undefined)
      return Response.json({ error: { message: "no", code: script.status } }, { status: script.status });
    const deltas = script?.deltas ?? tokens.map((content) => ({ content }));
    const finish = script === null || script === undefined ? "stop" : script.finish;
    const many = this.saysAllChoices && typeof asked["n"] === "number" ? asked["n"] : 1;
    const choices = Array.from({ length: many }, (_, at) => at);
    const events = [
      ...choices.map((index) => chunk({ role: "assistant", content: "" }, null, 0, index)),
      ...deltas.flatMap((delta, at) => choices.map((index) => chunk(delta, null, at + 1, index))),
      ...(finish === null
        ? []
        : [...choices.map((index) => chunk({}, finish, deltas.length, index)), "data: [DONE]\n\n"]),
    ];
    const pause = script?.pause ?? this.pause;
    let sent = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (pause !== null && said === 0 && sent === pause.at + 1) await pause.until;
          const next = events[sent];
          sent += 1;
          if (next === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(next));
        },
        cancel: () => {
          this.cancelled += 1;
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  }
}

/** A delta's `logprobs` stand beside it. */
function parted(delta: { readonly logprobs?: object }): object {
  const { logprobs, ...rest } = delta;
  return { delta: rest, ...(logprobs === undefined ? {} : { logprobs }) };
}

/** The answer's text as a client puts it together from the events, and why it ended. */
export function readStream(text: string): {
  readonly content: string;
  readonly finish: string | null;
  readonly done: boolean;
} {
  let content = "";
  let finish: string | null = null;
  for (const line of text.split("\n")) {
    if (!line.startsWith("data: {")) continue;
    const event = JSON.parse(line.slice(6)) as {
      choices?: { delta: { content?: string }; finish_reason: string | null }[];
    };
    content += event.choices?.[0]?.delta.content ?? "";
    finish = event.choices?.[0]?.finish_reason ?? finish;
  }
  return { content, finish, done: text.includes("data: [DONE]") };
}
