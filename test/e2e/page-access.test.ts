/** The page for who writes from right to left, and for who has no mouse. */
import { describe, expect, test } from "vitest";
import { say, signInToDemo, startBrowser, leave } from "./browser.ts";
import { answerIs, beingWritten, chatPage, done, shots } from "./chat-page.ts";
import { setSpeed } from "./product.ts";

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
    await answerIs(page, text);
    await page.reload();
    // The words are there before the reader of Markdown is.
    await page.locator("article.assistant pre").waitFor();
    for (const selector of ["p", "ul", "li", "blockquote", "table", "th"])
      expect([selector, await directionOf(`article.assistant ${selector}`)]).toEqual([selector, "rtl"]);
    for (const selector of ["li code", "pre", "div:nth-of-type(6) > p"])
      expect([selector, await directionOf(`article.assistant ${selector}`)]).toEqual([selector, "ltr"]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/right-to-left.png` });
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("each line of a message goes in its own direction, as in the field that it was typed in", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "Translate this line for me, please:\nمرحبا\nand say how it is spoken");
    await done(page, 1);
    const edgesOf = (words: string) =>
      page.evaluate<[number, number]>(`(() => {
        const text = document.querySelector(".said").firstChild;
        const range = document.createRange();
        const from = text.data.indexOf(${JSON.stringify(words)});
        range.setStart(text, from);
        range.setEnd(text, from + ${words.length});
        const { left, right } = range.getBoundingClientRect();
        return [Math.round(left), Math.round(right)];
      })()`);
    const [left, right] = await edgesOf("Translate this line for me, please:");
    expect((await edgesOf("مرحبا"))[1]).toBe(right);
    expect((await edgesOf("and say how it is spoken"))[0]).toBe(left);
    expect(complaints).toEqual([]);
    await leave(page);
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
    await leave(page);
  });

  test("by keyboard alone: the end of an answer takes nobody out of what he writes elsewhere, and a version's buttons stay under the finger", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "A small question");
    await done(page, 1);
    await setSpeed({ token_ms: 1000 });
    await say(page, "write 30 words");
    const name = page.getByLabel("Name of the chat");
    await page
      .getByRole("button", { name: /^Rename/ })
      .first()
      .click();
    await name.fill("A name that is");
    await beingWritten(page);
    await setSpeed({ token_ms: 0 });
    await done(page, 2);
    await page.keyboard.type(" typed on");
    expect(await name.inputValue()).toBe("A name that is typed on");
    await page.keyboard.press("Escape");
    await page.locator("article.assistant").last().getByRole("button", { name: "Regenerate" }).click();
    const versions = page.getByRole("group", { name: "Versions of this message" });
    await expect.poll(() => versions.allTextContents()).toEqual(["‹Version 2/2›"]);
    await page.getByRole("button", { name: "Previous version" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => versions.allTextContents()).toEqual(["‹Version 1/2›"]);
    const focused = () => page.evaluate<string | null>("document.activeElement.getAttribute('aria-label')");
    await expect.poll(focused).toBe("Previous version");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => versions.allTextContents()).toEqual(["‹Version 2/2›"]);
    await expect.poll(focused).toBe("Next version");
    await leave(page);
  });

  test("who hears the page hears an answer once, when it has ended, and what he had selected of it stays selected when it is saved", async () => {
    await setSpeed({ token_ms: 20 });
    const { page } = await open();
    await signInToDemo(page);
    await page.evaluate(`
      told = [];
      new MutationObserver(() => told.push(document.querySelector("footer [role=status]").textContent))
        .observe(document.querySelector("footer [role=status]"), { childList: true, characterData: true, subtree: true });
    `);
    await say(page, "write 30 words");
    await done(page, 1);
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('article.assistant p'))");
    const selected = await page.evaluate<string>("String(getSelection())");
    expect(selected.length).toBeGreaterThan(20);
    // It is saved, and known under the server's id.
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    expect(await page.evaluate<string>("String(getSelection())")).toBe(selected);
    const told = await page.evaluate<string[]>("told.filter((text) => text !== '')");
    expect(told.map((text) => text.slice(0, 11))).toEqual(["Waiting for", "Assistant: "]);
    expect(await page.getByRole("log").getAttribute("aria-live")).toBe("off");
    await leave(page);
  });

  test("on a phone Enter is a new line and no keyboard comes up by itself; a wide table is scrolled, and no word of it broken", async () => {
    const { page, complaints } = await open({
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    });
    await signInToDemo(page);
    const field = page.getByLabel("Message", { exact: true });
    expect(await page.evaluate("document.activeElement === document.body")).toBe(true);
    await field.fill("Two");
    await field.press("Enter");
    await page.keyboard.type("lines");
    expect(await field.inputValue()).toBe("Two\nlines");
    await page.getByRole("button", { name: "Send" }).tap();
    await done(page, 1);
    const row = Array.from({ length: 8 }, (_, at) => `Internationalization${at}`).join(" | ");
    await answerIs(
      page,
      `| ${row} |\n|${" --- |".repeat(8)}\n| ${row} |\n\n- [x] done\n- [ ] open\n\nAnd $a*b$ with\n\n$$\nx = y\n$$\n\n\`\`\`js\n${"const x = 1; ".repeat(20)}\n\`\`\``,
    );
    await page.reload();
    await page.locator("article.assistant table").waitFor();
    const [table, cell, overflow] = await page.evaluate<[number, number, number]>(`[
      document.querySelector(".table").scrollWidth - document.querySelector(".table").clientWidth,
      document.querySelector("th").clientHeight,
      document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ]`);
    expect(table).toBeGreaterThan(300);
    expect(cell).toBeLessThan(50);
    expect(overflow).toBe(0);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/phone-table.png`, fullPage: true });
    expect(complaints).toEqual([]);
    await leave(page);
  });
});
