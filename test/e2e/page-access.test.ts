/** The page for who writes from right to left, and for who has no mouse. */
import { describe, expect, test } from "vitest";
import { say, signInToDemo, startBrowser } from "./browser.ts";
import { chatPage, done, shots } from "./chat-page.ts";

const browser = await startBrowser();

describe.skipIf(browser === null)("the chat page", () => {
  const open = chatPage(browser);

  test("what is written from right to left is typed and shown so, lists and tables too; code is not", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    const directionOf = (selector: string) =>
      page.evaluate<string>(
        `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).direction`,
      );
    await page.getByLabel("Message", { exact: true }).fill("مرحبا، كيف حالك؟");
    expect(await directionOf("#message")).toBe("rtl");
    await say(page, "مرحبا، كيف حالك؟");
    await done(page, 1);
    expect(await directionOf(".said")).toBe("rtl");
    expect(await directionOf("article.assistant p")).toBe("ltr");
    const text = [
      "شكرا",
      "- واحد `x = 1;`\n- اثنان",
      "> اقتباس",
      "| اسم | رقم |\n| --- | --- |\n| أ | 1 |",
      "```js\nconst x = 1; // تعليق\n```",
      "In English",
    ].join("\n\n");
    await page.route("**/v1/conversations/*/items*", async (route) => {
      const answer = await route.fetch();
      const list = (await answer.json()) as { data: { role: string; content: object[] }[] };
      for (const item of list.data)
        if (item.role === "assistant") item.content = [{ type: "output_text", text, annotations: [] }];
      await route.fulfill({ response: answer, json: list });
    });
    await page.reload();
    // The words are there before the reader of Markdown is.
    await page.locator("article.assistant pre").waitFor();
    for (const selector of ["p", "ul", "li", "blockquote", "table", "th"])
      expect([selector, await directionOf(`article.assistant ${selector}`)]).toEqual([selector, "rtl"]);
    for (const selector of ["li code", "pre", "div:nth-of-type(6) > p"])
      expect([selector, await directionOf(`article.assistant ${selector}`)]).toEqual([selector, "ltr"]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/right-to-left.png` });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("by keyboard alone: whoever leaves a name, a deletion or an edit as it was is back where he was", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "A garden");
    await done(page, 1);
    const focused = () =>
      page.evaluate<string | null>(
        "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent",
      );
    await page.getByRole("button", { name: "Rename A garden" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("Name of the chat");
    await page.keyboard.press("Escape");
    await expect.poll(focused).toBe("Rename A garden");
    await page.getByRole("button", { name: "Delete A garden" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("Keep");
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("Delete A garden");
    await page.getByRole("button", { name: "Edit" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("Edit message");
    await page.keyboard.press("Escape");
    await expect.poll(focused).toBe("Edit");
    await page.context().close();
  });
});
