/** What does the page say, and keep, when something is in the way: an error, a broken answer, a limit, no network? */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { say, signInToDemo, startBrowser, leave } from "./browser.ts";
import { answerIs, beingWritten, chatPage, done, faultEverywhere, shots, signInWith } from "./chat-page.ts";
import { post, setSpeed, tokenFor } from "./product.ts";

const browser = await startBrowser();

/** While an answer is on its way the button is not to be clicked, or not there: looked at again by whoever polls. */
async function clickIfThere(page: Page, name: string): Promise<void> {
  await page
    .getByRole("button", { name })
    .click({ timeout: 500 })
    .catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== "TimeoutError") throw error;
    });
}

describe.skipIf(browser === null)("the chat page", () => {
  const open = chatPage(browser);

  test("an error rolls the message back, says what to do, and Try again sends it", async () => {
    await faultEverywhere({ fault: "status", status: 500 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "Hello there");
    await page.getByRole("alert").getByText("The service has trouble").waitFor({ timeout: 30_000 });
    expect(await page.locator("article").count()).toBe(0);
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("Hello there");
    if (shots !== undefined) await page.screenshot({ path: `${shots}/error.png` });
    await faultEverywhere();
    // The breakers that the faults opened close again within seconds.
    await expect
      .poll(
        async () => {
          const count = await page.locator("article.assistant[data-status=done]").count();
          if (count === 0) await clickIfThere(page, "Try again");
          return count;
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(1);
    await leave(page);
  });

  test("an answer that breaks off keeps what had come, and Regenerate asks for it again", async () => {
    await faultEverywhere({ fault: "cut_after", after: 5 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "write 60 words");
    const alert = page.getByRole("alert").getByText("The answer broke off");
    await alert.waitFor({ timeout: 30_000 });
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
    expect(await page.locator("article.assistant").textContent()).toContain("A request comes in");
    await faultEverywhere();
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await expect
      .poll(
        async () => {
          const count = await page.locator("article.assistant[data-status=done]").count();
          if (count === 0) await clickIfThere(page, "Regenerate");
          return count;
        },
        { timeout: 30_000, interval: 1000 },
      )
      .toBe(1);
    await leave(page);
  });

  test("a page that the browser keeps and brings back in mid-answer follows the answer on, and has lost no word", async () => {
    await setSpeed({ token_ms: 1000 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "write 120 words");
    const last = page.locator("article.assistant").last();
    await beingWritten(page);
    await page.getByLabel("Message", { exact: true }).fill("and then");
    for (const name of ["pagehide", "pageshow"])
      await page.evaluate(`dispatchEvent(new PageTransitionEvent("${name}", { persisted: true }))`);
    await setSpeed({ token_ms: 20 });
    await expect.poll(() => last.getAttribute("data-status")).toBe("done");
    await expect.poll(() => page.locator("article").count()).toBe(2);
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("and then");
    expect(await page.getByRole("alert").count()).toBe(0);
    await leave(page);
  });

  test("on a phone, too, a message that is too long is said to be", async () => {
    const { page } = await open({ viewport: { width: 390, height: 844 } });
    await signInToDemo(page);
    await page.getByLabel("Message", { exact: true }).fill("word ".repeat(7000));
    await page.getByRole("alert").getByText("3,000 characters too long").waitFor();
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    await leave(page);
  });

  test("a limit counts down to its reset, and sending waits for it", async () => {
    const token = await tokenFor({ tier: "free" });
    const { page } = await open();
    await signInWith(page, token);
    const body = { model: "auto", max_tokens: 1, messages: [{ role: "user", content: "x" }] };
    /** When the next one is let in, in seconds; 0: this one was. */
    const wait = async () => {
      const response = await post("/v1/chat/completions", token, body);
      await response.text();
      return response.status === 429 ? Number(response.headers.get("retry-after")) : 0;
    };
    await Promise.all(Array.from({ length: 100 }, wait));
    // One comes back every 36 s: not before the page has asked.
    await expect.poll(wait, { interval: 500 }).toBeGreaterThan(20);
    await say(page, "One more");
    await page
      .getByRole("alert")
      .getByText(/You can send again in/)
      .waitFor();
    await page.getByText("Your plan has 100 messages an hour.").waitFor();
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/limit.png` });
    await leave(page);
  });

  test("offline is said, and what was typed is kept", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await page.getByLabel("Message", { exact: true }).fill("Later");
    await page.context().setOffline(true);
    await page.getByText("You are offline").waitFor();
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    await page.context().setOffline(false);
    await page.getByText("You are offline").waitFor({ state: "hidden" });
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("Later");
    await leave(page);
  });

  test("where the reader of Markdown can't be had, or fails, an answer is shown as it came, and no empty page", async () => {
    const { page } = await open();
    await page.route("**/web/message-parts-*", (route) => route.abort());
    await signInToDemo(page);
    await say(page, "Answer in markdown with headings and a list");
    await done(page, 1);
    await page.locator("article.assistant .plain").getByText("stand-in").waitFor();
    const lost = page.getByRole("alert").filter({ hasText: "could not be loaded" });
    await lost.getByRole("button", { name: "Reload" }).click();
    await page.locator("article.assistant .plain").getByText("stand-in").waitFor();
    await lost.waitFor();
    await page.unroute("**/web/message-parts-*");
    await say(page, "And again");
    await done(page, 2);
    // By another address: a browser asks for one that it could not fetch no second time.
    await expect.poll(() => page.locator("article.assistant .plain").count()).toBe(0);
    await lost.waitFor({ state: "detached" });
    await answerIs(page, `${">".repeat(20_000)} deep`);
    await page.reload();
    await page.locator("article.assistant .plain").first().getByText("deep").waitFor();
    expect(await page.getByLabel("Message", { exact: true }).isVisible()).toBe(true);
    await leave(page);
  });

  test("where the code for what the server keeps can't be had, a question is answered all the same; the chat is listed, and read again, as soon as it can", async () => {
    const { page } = await open();
    await page.route("**/web/kept-chats-*", (route) => route.abort());
    await signInToDemo(page);
    await say(page, "A question without a list");
    await done(page, 1);
    const chats = page.getByRole("navigation", { name: "Chats" });
    await chats.getByText("could not be loaded").waitFor();
    await page.unroute("**/web/kept-chats-*");
    // The page tries by itself as well, and may be quicker: the button is then gone before it is pressed.
    const pressed = chats
      .getByRole("button", { name: "Try again" })
      .click()
      .catch((error: unknown) => error);
    await chats.getByRole("button", { name: "A question without a list", exact: true }).waitFor();
    void pressed;
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await page.route("**/web/kept-chats-*", (route) => route.abort());
    await page.reload();
    await page.getByText("This chat could not be loaded").waitFor();
    await page.unroute("**/web/kept-chats-*");
    await done(page, 1);
    await page.getByText("This chat could not be loaded").waitFor({ state: "detached" });
    await leave(page);
  });

  test("an old page whose part for the signed-in is gone from the server says so, and a reload has it", async () => {
    const { page } = await open();
    await page.route("**/web/signed-in-*", (route) => route.fulfill({ status: 404, body: "" }));
    await page.reload();
    await page.getByRole("button", { name: "Try the demo" }).click();
    await page.getByRole("alert").getByText("could not be loaded whole").waitFor();
    await page.unroute("**/web/signed-in-*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByLabel("Message", { exact: true }).waitFor();
    await leave(page);
  });

  test("an answer without a word is said to be none", async () => {
    const { page } = await open();
    await signInToDemo(page);
    const chunk = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    await page.route("**/v1/chat/completions", (route) =>
      route.fulfill({
        headers: { "content-type": "text/event-stream", "x-edgewise-response-id": "resp_empty" },
        body: `data: ${chunk}\n\ndata: [DONE]\n\n`,
      }),
    );
    await say(page, "Say nothing");
    await page.locator("article.assistant").getByText("The model gave no answer").waitFor();
    await leave(page);
  });

  test("models that could not be had at first can be chosen as soon as they can", async () => {
    const { page } = await open();
    let refused = 2;
    await page.route("**/v1/models", async (route) => {
      refused -= 1;
      if (refused < 0) await route.continue();
      else await route.fulfill({ status: 503, json: { error: { message: "down", code: null } } });
    });
    await signInToDemo(page);
    await page.getByRole("combobox", { name: "Model" }).waitFor();
    await leave(page);
  });

  test("two quick clicks on Send send, and stop nothing", async () => {
    await setSpeed({ ttft_ms: 500, token_ms: 10 });
    const { page } = await open();
    await signInToDemo(page);
    await page.getByLabel("Message", { exact: true }).fill("write 30 words");
    await page.getByRole("button", { name: "Send" }).dblclick();
    await page.locator("article.assistant").waitFor();
    await expect
      .poll(() => page.locator("article.assistant").getAttribute("data-status"))
      .not.toMatch(/waiting|streaming/);
    expect(await page.locator("article.assistant").getAttribute("data-status")).toBe("done");
    await leave(page);
  });
});
