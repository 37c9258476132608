/** What tests of the chat page stand on: a page a visit, the fleet as it was behind each test, and what a person does there. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { FaultInput } from "../../dev/origin/server/faults.ts";
import { type Visit, visit } from "./browser.ts";
import { replicas, setFaults, setSpeed } from "./product.ts";

/** A folder for pictures of the page, where somebody wants to look at them. */
export const shots = process.env["PAGE_SHOTS"];

/** For a `describe` that is skipped without a browser. Returns how to open the page. */
export function chatPage(browser: Browser | null): (options?: Parameters<typeof visit>[1]) => Promise<Visit> {
  beforeAll(() => setSpeed({ ttft_ms: 0, token_ms: 0 }));
  afterEach(async () => {
    await faultEverywhere();
    await setSpeed({ ttft_ms: 0, token_ms: 0 });
  });
  afterAll(() => browser?.close());
  return (options) => {
    if (browser === null) throw new Error("skipped without a browser");
    return visit(browser, options);
  };
}

/** On every replica these faults, and no others. */
export async function faultEverywhere(...faults: readonly FaultInput[]): Promise<void> {
  for (const replica of replicas) await setFaults(replica, ...faults);
}

/** Until so many answers are whole. */
export const done = (page: Page, count: number) =>
  expect.poll(() => page.locator("article.assistant[data-status=done]").count()).toBe(count);

/**
 * Until an answer is being written. Only where it is written so slowly that a busy machine sees it (a word a second) is that for sure;
 * another speed holds from the next word on.
 */
export const beingWritten = (page: Page) =>
  expect.poll(() => page.locator("article.assistant").last().getAttribute("data-status")).toBe("streaming");

/** Clicks on a button that says for two seconds what came of it: that is looked for from before the click on. */
export async function clickAndHear(page: Page, name: string, answer: string): Promise<void> {
  const heard = page.getByRole("button", { name: answer }).waitFor();
  await Promise.all([heard, page.getByRole("button", { name }).click()]);
}

/** From now on the server tells of every answer that these were its words, behind a reload or a chat that is opened. */
export async function answerIs(page: Page, text: string): Promise<void> {
  await page.route("**/v1/conversations/*/items*", async (route) => {
    const answer = await route.fetch();
    if (!answer.ok()) return route.fulfill({ response: answer });
    const list = (await answer.json()) as { data: { role: string; content: object[] }[] };
    for (const item of list.data)
      if (item.role === "assistant") item.content = [{ type: "output_text", text, annotations: [] }];
    await route.fulfill({ response: answer, json: list });
  });
}

export async function signInWith(page: Page, token: string): Promise<void> {
  await page.getByRole("textbox", { name: /sign in with a token/i }).fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Message", { exact: true }).waitFor();
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
}
