/** What axe-core can tell of WCAG 2.2 AA (contrast, names, roles, sizes of targets, order of headings), in each state that the page has. */
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { answerIs, chatPage, done } from "./chat-page.ts";

const browser = await startBrowser();

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Once nothing moves: what is half faded in has half its contrast. */
async function faultsOf(page: Page, isSheet: boolean): Promise<readonly string[]> {
  await page.evaluate("Promise.allSettled(document.getAnimations().map(({ finished }) => finished))");
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate<AxeResults>(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)} })`,
  );
  // Of what lies in the top layer axe tells no contrast; its colours are those of what is looked at beside it.
  if (!isSheet) expect(passes.map(({ id }) => id)).toContain("color-contrast");
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

describe.skipIf(browser === null)("WCAG 2.2 AA on the chat page", () => {
  const open = chatPage(browser);

  test.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
    ["dark", 390],
  ] as const)("axe-core finds no fault in %s, %i pixels wide", async (colorScheme, width) => {
    const { page } = await open({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Try the demo" }).waitFor();
    const found: Record<string, readonly string[]> = {};
    const look = async (state: string, isSheet = false): Promise<void> => {
      const faults = await faultsOf(page, isSheet);
      if (faults.length > 0) found[state] = faults;
    };
    await look("signed out");
    await signInToDemo(page);
    await page.getByText("Your chats will be listed here.").waitFor({ state: "attached" });
    await look("a new chat");
    await say(page, "A pasted line.\n".repeat(100));
    await done(page, 1);
    await answerIs(
      page,
      [
        "# One",
        "## Two",
        "Some *words*, `code` and [a link](https://example.com).",
        "- [x] done\n- [ ] open",
        "> A quote",
        "| a | b |\n| --- | ---: |\n| 1 | 2 |",
        "```ts\nconst a = 1; // c\n```",
        "$$\nx^2\n$$",
      ].join("\n\n"),
    );
    await page.reload();
    await page.locator("article.assistant math").waitFor();
    await page.locator("article.assistant .code-keyword").waitFor();
    await look("a chat");
    const chats = page.getByRole("navigation", { name: "Chats" });
    const menu = page.getByRole("button", { name: "Chats", exact: true });
    if (await menu.isVisible()) await menu.click();
    await look("its chats");
    await chats.getByRole("button", { name: /^Delete/ }).click();
    await look("a deletion");
    await page.keyboard.press("Escape");
    await chats.getByRole("button", { name: /^Rename/ }).click();
    await look("a name that is changed");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Edit" }).click();
    await look("an edit");
    await page.keyboard.press("Escape");
    const account = page.getByRole("button", { name: "Account" });
    await account.click();
    await look("the account's menu");
    await page.getByRole("button", { name: "Usage and limits" }).click();
    await page.getByRole("dialog").getByRole("rowheader").first().waitFor();
    await look("usage and limits", true);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+/");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await look("the keys", true);
    await page.keyboard.press("Escape");
    await page.route("**/v1/chat/completions", (route) =>
      route.fulfill({
        status: 429,
        headers: { "retry-after": "75" },
        json: { error: { message: "Too many requests.", code: "rate_limit_exceeded" } },
      }),
    );
    await say(page, "One too many");
    await page.getByText("You have reached a limit").waitFor();
    await look("a limit");
    await page.context().setOffline(true);
    await page.getByText("You are offline").waitFor();
    await look("offline");
    expect(found).toEqual({});
    await leave(page);
  });

  test("zoomed to 400 %, a notice hides neither the field nor the way to it", async () => {
    const { page } = await open({ viewport: { width: 320, height: 256 } });
    await signInToDemo(page);
    await page.route("**/v1/chat/completions", (route) =>
      route.fulfill({ status: 401, json: { error: { message: "expired", code: "invalid_token" } } }),
    );
    await say(page, "Expired?");
    await page.getByText("Please sign in again").waitFor();
    const field = page.getByLabel("Message", { exact: true });
    await field.scrollIntoViewIfNeeded();
    const box = await field.boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 999)).toBeLessThanOrEqual(256);
    const beyond = "document.documentElement.scrollHeight - document.documentElement.clientHeight";
    expect(await page.evaluate<number>(beyond)).toBe(0);
    await leave(page);
  });
});
