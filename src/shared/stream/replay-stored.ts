/**
 * A stored chat completion as a stream, once its original events are gone: each choice's text whole, then its finish reason. In OpenAI's
 * form, without the usage chunk: what the request asked of its stream is not kept.
 */
interface StoredChoice {
  readonly index: number;
  readonly message: Readonly<Record<string, unknown>> & { readonly tool_calls?: readonly object[] };
  readonly logprobs: unknown;
  readonly finish_reason: string;
}

interface StoredCompletion {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly choices: readonly StoredChoice[];
  /** The usage receipt stands in the last chunk, as it did. */
  readonly edgewise?: object;
}

/** @param json the `chat.completion` */
export function replayCompletion(json: string): string {
  const { id, created, model, choices, edgewise } = JSON.parse(json) as StoredCompletion;
  const chunks = choices.flatMap(({ index, message, logprobs, finish_reason: reason }) => [
    { index, delta: deltaOf(message), logprobs, finish_reason: null },
    { index, delta: {}, logprobs: null, finish_reason: reason },
  ]);
  const head = { id, object: "chat.completion.chunk", created, model };
  return [
    ...chunks.map((chunk, at) => {
      const isLast = at === chunks.length - 1 && edgewise !== undefined;
      return JSON.stringify({ ...head, choices: [chunk], ...(isLast ? { edgewise } : {}) });
    }),
    "[DONE]",
  ]
    .map((data) => `data: ${data}\n\n`)
    .join("");
}

/** In a stream, calls are identified by their index. */
function deltaOf({ tool_calls: calls, ...said }: StoredChoice["message"]): object {
  if (calls === undefined) return said;
  return { ...said, tool_calls: calls.map((call, index) => ({ index, ...call })) };
}
