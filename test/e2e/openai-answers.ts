/** Answers of the chat API as OpenAI's own description has them, where that is at hand. */
import { expect } from "vitest";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";

export function expectChunks(chunks: readonly unknown[]): void {
  if (!hasOpenAiSchema) return;
  for (const chunk of chunks)
    expect(openAiComplaints("CreateChatCompletionStreamResponse", chunk)).toEqual([]);
}

export function expectAnswer(answer: unknown): void {
  if (hasOpenAiSchema) expect(openAiComplaints("CreateChatCompletionResponse", answer)).toEqual([]);
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}
