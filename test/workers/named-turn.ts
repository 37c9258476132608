/** A turn of a conversation that its client names, and what the conversation holds behind it. */
import { send } from "./edge-under-test.ts";

export const say = (content: string, conversation: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 50,
  conversation_id: conversation,
  messages: [{ role: "user", content }],
  ...more,
});

export async function itemsOf(
  authorization: string,
  conversation: string,
): Promise<{ status: number; texts: string[] }> {
  const response = await send(`/v1/conversations/${conversation}/items?order=asc`, {
    headers: { authorization },
  });
  const body = (await response.json()) as { data?: { role: string; content?: { text: string }[] }[] };
  return {
    status: response.status,
    texts: (body.data ?? []).map((item) => `${item.role}: ${item.content?.[0]?.text}`),
  };
}
