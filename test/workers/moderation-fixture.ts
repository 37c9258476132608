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

/** What the guard is asked; `null`: another model is. */
export function toGuard(init: RequestInit | undefined): string | null {
  return typeof init?.body === "string" && init.body.includes("Llama-Guard") ? init.body : null;
}

export function untilAborted(init: RequestInit | undefined): Promise<Response> {
  const signal = init?.signal;
  if (!(signal instanceof AbortSignal)) throw new TypeError("a guard is asked without a signal");
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")));
  });
}
