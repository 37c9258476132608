/** What one does every day beside asking: keys, one's own last words, a quote, the rest of an answer, what is left of the limits. */
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { answerIs, beingWritten, chatPage, done, signInWith } from "./chat-page.ts";
import { clientFor, setSpeed, tokenFor, unique } from "./product.ts";

const browser = await startBrowser();

describe.skipIf(browser === null)("every day on the chat page", () => {
  const open = chatPage(browser);

  test("an arrow brings one's last messages back into an empty field, and takes nothing from who is writing", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    for (const [at, text] of ["First question", "Second question"].entries()) {
      await say(page, text);
      await done(page, at + 1);
    }
    const field = page.getByLabel("Message", { exact: true });
    await field.press("ArrowUp");
    expect(await field.inputValue()).toBe("Second question");
    await field.press("ArrowUp");
    expect(await field.inputValue()).toBe("First question");
    await field.press("ArrowDown");
    await field.press("ArrowDown");
    expect(await field.inputValue()).toBe("");
    await field.fill("half a thought");
    await field.press("ArrowUp");
    expect(await field.inputValue()).toBe("half a thought");
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("what is selected in an answer is asked about as a quote, which is set apart in the message", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "Some advice");
    await done(page, 1);
    await answerIs(page, "Maps never leave the house.\n\nNor do keys.");
    await page.reload();
    const answer = page.locator("article.assistant .answer");
    await answer.getByText("Nor do keys.").waitFor();
    const field = page.getByLabel("Message", { exact: true });
    await field.fill("Why?");
    const ask = page.getByRole("button", { name: "Ask about this" });
    expect(await ask.count()).toBe(0);
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.said'))");
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    expect(await ask.count()).toBe(0);
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.answer'))");
    await ask.click();
    expect(await field.inputValue()).toBe("> Maps never leave the house.\n>\n> Nor do keys.\n\nWhy?");
    expect(await page.evaluate("document.activeElement.id")).toBe("message");
    await ask.waitFor({ state: "detached" });
    await page.unrouteAll();
    await page.keyboard.press("Enter");
    await done(page, 2);
    expect(await page.locator(".said .quoted").textContent()).toBe(
      "Maps never leave the house.\n\nNor do keys.",
    );
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a formula is quoted as the model wrote it, and not sign by sign", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "Some algebra");
    await done(page, 1);
    await answerIs(page, "It takes $O(n + m)$ time.\n\n$$\n\\frac{a}{2}\n$$\n\nThat is all.");
    await page.reload();
    await page.locator("article.assistant math").nth(1).waitFor();
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.answer'))");
    await page.getByRole("button", { name: "Ask about this" }).click();
    const quoted = await page.getByLabel("Message", { exact: true }).inputValue();
    expect(quoted.replaceAll(/\n>(?=\n)/g, "").trim()).toBe(
      "> It takes $O(n + m)$ time.\n> $$\\frac{a}{2}$$\n> That is all.",
    );
    await leave(page);
  });

  test("below an answer stands which model gave it, whatever was asked", async () => {
    const { page } = await open();
    await signInToDemo(page);
    expect(await page.getByLabel("Model").inputValue()).toBe("auto");
    await say(page, "A question");
    await done(page, 1);
    const answer = page.locator("article.assistant");
    expect(await answer.locator(".model").textContent()).toBe("Answered by llama-3.1-8b");
    // Also once the server has told of it anew.
    await answer.getByRole("button", { name: "Regenerate" }).waitFor();
    expect(await answer.locator(".model").textContent()).toBe("Answered by llama-3.1-8b");
    await leave(page);
  });

  test("an answer that was stopped is gone on from; an answer that is whole is not", async () => {
    await setSpeed({ token_ms: 300 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "write 300 words");
    const answer = page.locator("article.assistant");
    await beingWritten(page);
    await expect.poll(async () => (await answer.innerText()).length).toBeGreaterThan(20);
    await page.keyboard.press("Escape");
    await answer.getByText("Stopped").waitFor();
    await setSpeed({ token_ms: 0 });
    await page.getByRole("button", { name: "Continue" }).click();
    await page.locator("article.user").getByText("Go on exactly where you stopped.").waitFor();
    await done(page, 1);
    await page.getByRole("button", { name: "Regenerate" }).last().waitFor();
    expect(await page.getByRole("button", { name: "Continue" }).count()).toBe(0);
    await leave(page);
  });

  test("the account's menu says what is left of the limits and which keys there are; Escape closes it, and stops no answer", async () => {
    const caller = { user: unique(), org: unique("o"), tier: "free" } as const;
    const { page, complaints } = await open();
    await signInWith(page, await tokenFor(caller));
    await say(page, "A first question");
    await done(page, 1);
    await setSpeed({ token_ms: 1000 });
    await say(page, "write 300 words");
    const last = page.locator("article.assistant").last();
    await beingWritten(page);
    const account = page.getByRole("button", { name: "Account" });
    const menu = page.locator("#account");
    await account.press("Enter");
    await menu.getByText(caller.user).waitFor();
    const focused = () => page.evaluate<string>("document.activeElement.textContent");
    await expect.poll(focused).toBe("Usage and limits");
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    await account.press("Enter");
    await expect.poll(focused).toBe("Usage and limits");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await menu.waitFor({ state: "hidden" });
    await account.press("Enter");
    await expect.poll(focused).toBe("Usage and limits");
    await page.keyboard.press("Enter");
    const sheet = page.getByRole("dialog", { name: "Usage and limits" });
    await sheet.getByText("Messages an hour").first().waitFor();
    await sheet
      .getByText(/^[12] of 100 used$/)
      .first()
      .waitFor();
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate("document.activeElement.ariaLabel")).toBe("Account");
    await page.keyboard.press("Control+/");
    const keys = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await keys.getByText("Stop the answer").waitFor();
    await keys.getByRole("button", { name: "Close" }).click();
    await keys.waitFor({ state: "detached" });
    expect(await last.getAttribute("data-status")).toBe("streaming");
    await page.keyboard.press("Escape");
    await last.getByText("Stopped").waitFor();
    await page.route("**/v1/usage", (route) => route.fulfill({ status: 502, body: "<html>" }));
    await account.click();
    await page.getByRole("button", { name: "Usage and limits" }).click();
    await sheet.getByRole("alert").getByText("The service has trouble").waitFor();
    await page.unroute("**/v1/usage");
    await sheet.getByRole("button", { name: "Try again" }).click();
    await sheet.getByRole("rowheader").first().waitFor();
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("by keys alone: a new chat, the search of chats, and back to the field, wherever one is", async () => {
    const caller = { user: unique(), org: unique("o") };
    const client = await clientFor(caller);
    for (let at = 0; at < 9; at += 1) await client.conversations.create();
    const { page } = await open({ viewport: { width: 800, height: 700 } });
    await signInWith(page, await tokenFor(caller));
    await say(page, "A question");
    await done(page, 1);
    const focused = () =>
      page.evaluate<string>("document.activeElement.ariaLabel ?? document.activeElement.id");
    // It is there once the chats are listed, though not seen yet.
    await page.locator("input[type=search]").waitFor({ state: "attached" });
    await page.keyboard.press("Control+k");
    await expect.poll(focused).toBe("Search chats by name");
    await page.keyboard.press("Shift+Escape");
    await expect.poll(focused).toBe("message");
    await page.keyboard.press("Control+Shift+O");
    await page.getByText("What would you like to know?").waitFor();
    await expect.poll(focused).toBe("message");
    await leave(page);
  });

  test("who reads something else sees at the tab that the answer is there, until he looks at it", async () => {
    await setSpeed({ token_ms: 1000 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "write 30 words");
    const looks = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"))`);
    await beingWritten(page);
    await looks(true);
    await setSpeed({ token_ms: 0 });
    await done(page, 1);
    await expect.poll(() => page.title()).toMatch(/^✓ /);
    await looks(false);
    await expect.poll(() => page.title()).toBe("write 30 words – Edgewise");
    await leave(page);
  });

  test("where the account's menu can't be had, one signs out all the same", async () => {
    const { page } = await open();
    await page.route("**/web/account-parts-*", (route) => route.abort());
    await signInToDemo(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Try the demo" }).waitFor();
    await leave(page);
  });
});
