/** What tests of moderation ask the edge, and what it logs meanwhile. */
import { expect, vi } from "vitest";
import { bearer, post, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";

export const chat = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 200,
  messages: [{ role: "user", content }],
  ...more,
});

export async function ask(
  tenant: string,
  body: object,
  path = "/v1/chat/completions",
  user: string = crypto.randomUUID(),
) {
  return post(path, await bearer(tenant, user), body);
}

/** Every line that was logged while `act` ran and what it began went on. */
export async function logged(act: () => Promise<unknown>, seen: (lines: readonly string[]) => boolean) {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log");
  log.mockImplementation((text: unknown) => void lines.push(...String(text).split("\n")));
  await act();
  await settled();
  await eventually(() => expect(seen(lines)).toBe(true));
  log.mockImplementation(() => undefined);
  return lines;
}
