/** Reading on the chat page: the way back down, what is copied and printed of it, and a chat that is looked for. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { answerIs, chatPage, clickAndHear, done, signInWith } from "./chat-page.ts";
import { clientFor, listed, tokenFor, unique } from "./product.ts";

const browser = await startBrowser();
const long = Array.from({ length: 80 }, (_, at) => `Paragraph ${at + 1}.`).join("\n\n");

describe.skipIf(browser === null)("reading on the chat page", () => {
  const open = chatPage(browser);

  test("a formula is set, and breaks where the page ends; what is no formula is shown as it was written", async () => {
    const { page, complaints, bytes } = await open({ viewport: { width: 390, height: 844 } });
    await signInToDemo(page);
    await say(page, "Something with formulas");
    await done(page, 1);
    const setters = () => [...bytes.keys()].filter((path) => path.includes("/set-formula-"));
    expect(setters()).toEqual([]);
    const terms = Array.from({ length: 30 }, (_, at) => `a_{${at}}`).join(" + ");
    const hostile = String.raw`$\href{javascript:alert(1)}{x}$ $\def\a{\a\a}\a$ $\frac{1$`;
    const named = String.raw`$$y \tag{1} \label{message}$$ $\ref{message}$`;
    await answerIs(
      page,
      `${named}\n\nHere $x^2$ costs $5.\n\n$$\\frac{${terms}}{2}$$\n\n$${terms}$\n\n${hostile}`,
    );
    await page.reload();
    const answer = page.locator("article.assistant");
    await answer.locator("math").nth(3).waitFor();
    expect(await page.locator("#message").count()).toBe(1);
    expect(await answer.locator("[id], [href]").count()).toBe(0);
    expect(await answer.locator("math mfrac").count()).toBe(1);
    expect(await answer.locator("math msup").first().textContent()).toBe("x2");
    expect(await answer.locator("code.math").allTextContents()).toEqual([
      String.raw`\href{javascript:alert(1)}{x}`,
      String.raw`\def\a{\a\a}\a`,
      String.raw`\frac{1`,
    ]);
    await expect.poll(() => setters().length).toBeGreaterThan(0);
    const beyond = "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)";
    expect(await page.evaluate<number>(`${beyond}(document.querySelector(".messages"))`)).toBe(0);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a formula stands there as it was written where what sets it can't be had", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "Something with formulas");
    await done(page, 1);
    await page.route("**/set-formula-*", (route) => route.abort());
    await answerIs(page, "So $x^2$ it is.");
    await page.reload();
    await page.locator("article.assistant code.math").waitFor();
    expect(await page.locator("article.assistant p").textContent()).toBe("So x^2 it is.");
    await leave(page);
  });

  test("code has its colours, whatever stands above it, and is whole without them", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "Something in code");
    await done(page, 1);
    const code = 'const a = "<b>"; // c';
    // Over such a word its grammar goes on for half a minute.
    const hostile = "a".repeat(60_000);
    await answerIs(
      page,
      `\`\`\`ts\n${code}\n\`\`\`\n\n\`\`\`cpp\n${hostile}\n\`\`\`\n\n\`\`\`py\ndef f(): pass\n\`\`\``,
    );
    await page.reload();
    const blocks = page.locator("article.assistant pre");
    await blocks.nth(2).locator(".code-keyword").first().waitFor();
    expect(await blocks.allTextContents()).toEqual([code, hostile, "def f(): pass"]);
    expect(await blocks.nth(0).locator(".code-string").allTextContents()).toEqual(['"<b>"']);
    expect(await blocks.nth(1).locator("span").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.route("**/code-worker-*", (route) => route.abort());
    await page.reload();
    await blocks.nth(2).waitFor();
    expect(await blocks.first().textContent()).toBe(code);
    await leave(page);
  });

  test("who has scrolled up finds a way back down, which is gone at the end", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "Something long");
    await done(page, 1);
    await answerIs(page, long);
    await page.addInitScript(`new MutationObserver(() => {
      if (document.querySelector(".to-latest") !== null) window.cameUp = true;
    }).observe(document, { childList: true, subtree: true })`);
    await page.reload();
    await page.locator("article.assistant p").nth(79).waitFor();
    // Nor for a moment, while the answer came in.
    expect(await page.evaluate("window.cameUp")).toBeUndefined();
    const down = page.getByRole("button", { name: "Go to the end of the conversation" });
    expect(await down.count()).toBe(0);
    await page.evaluate("document.querySelector('.messages').scrollTop = 0");
    await down.press("Enter");
    await down.waitFor({ state: "detached" });
    const left = "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)";
    expect(await page.evaluate<number>(`${left}(document.querySelector(".messages"))`)).toBeLessThan(2);
    expect(await page.evaluate("document.activeElement.className")).toBe("messages");
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("the whole conversation is printed, and nothing around it", async () => {
    const { page } = await open({ colorScheme: "dark" });
    await signInToDemo(page);
    await say(page, "Something long");
    await done(page, 1);
    await answerIs(page, long);
    await page.reload();
    await page.getByText("Paragraph 80.").waitFor();
    await page.emulateMedia({ media: "print" });
    const pages = (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type\s*\/Page\b/g);
    expect(pages?.length).toBeGreaterThan(2);
    for (const around of ["header", "footer", ".chats", ".actions"])
      expect(await page.locator(around).first().isVisible()).toBe(false);
    // White paper, whatever the screen is.
    expect(await page.evaluate("getComputedStyle(document.documentElement).color")).toBe("rgb(28, 32, 36)");
    await leave(page);
  });

  test("what is selected across messages is what was said, without the buttons; a copied answer is Markdown, and formatted where that is pasted", async () => {
    const { page } = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    await signInToDemo(page);
    await say(page, "Some code");
    await done(page, 1);
    const text = "# Look\n\n```js\nconst a = 1;\n```\n\n| a | b |\n| - | - |\n| 1 | *2* |";
    await answerIs(page, text);
    await page.reload();
    await page.locator("article.assistant pre").waitFor();
    const selected = await page.evaluate<string>(`(() => {
      getSelection().selectAllChildren(document.querySelector("[role=log]"));
      return String(getSelection());
    })()`);
    expect(selected).toContain("const a = 1;");
    for (const button of ["Copy", "Edit", "Regenerate"]) expect(selected).not.toContain(button);
    await clickAndHear(page, "Copy answer", "Copied answer");
    const copied = await page.evaluate<Record<string, string>>(`(async () => {
      const [item] = await navigator.clipboard.read();
      const texts = item.types.map(async (type) => [type, await (await item.getType(type)).text()]);
      return Object.fromEntries(await Promise.all(texts));
    })()`);
    expect(copied["text/plain"]).toBe(text);
    expect(copied["text/html"]).toContain("<em>2</em>");
    expect(copied["text/html"]).not.toMatch(/button|figcaption|class=/);
    await leave(page);
  });

  test("a chat is found by its name, listed yet or not; Escape ends the search, and the keyboard goes on behind a deletion", async () => {
    const caller = { user: unique(), org: unique("o") };
    const client = await clientFor(caller);
    for (let at = 0; at < 34; at += 1) {
      const { id } = await client.conversations.create();
      const title = at === 0 ? "Reise nach Zürich" : `Other ${at}`;
      await client.post(`/conversations/${id}`, { body: { title } });
    }
    await listed(client, 34);
    const { page, complaints } = await open();
    await signInWith(page, await tokenFor(caller));
    const chats = page.getByRole("navigation", { name: "Chats" });
    const names = chats.locator(".open");
    await expect.poll(() => names.count()).toBe(30);
    const search = chats.getByRole("searchbox", { name: "Search chats by name" });
    await search.fill("zurich");
    await expect.poll(() => names.allTextContents()).toEqual(["Reise nach Zürich"]);
    await chats.getByRole("status").getByText("1 chat").waitFor();
    await search.fill("nowhere");
    await chats.getByRole("status").getByText("No chat has that in its name.").waitFor();
    await search.press("Escape");
    await expect.poll(() => names.count()).toBe(34);
    await chats.getByRole("button", { name: "Delete Other 33" }).press("Enter");
    await chats.getByRole("button", { name: "Delete", exact: true }).press("Enter");
    await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe("Other 32");
    expect(await names.count()).toBe(33);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a long message of one's own is folded, so that its answer is seen; whoever unfolds and folds it stays at it", async () => {
    const { page, complaints } = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    await signInToDemo(page);
    const message = "A sentence of a pasted page. ".repeat(1000).trim();
    await say(page, message);
    await done(page, 1);
    const said = page.locator(".said");
    const height = async () => (await said.boundingBox())?.height ?? 0;
    await expect.poll(height).toBeLessThan(500);
    expect(await said.textContent()).toBe(message);
    const toggle = page.getByRole("button", { name: /^Show (all|less)$/ });
    await toggle.press("Enter");
    expect(await toggle.getAttribute("aria-expanded")).toBe("true");
    expect(await height()).toBeGreaterThan(5000);
    await toggle.press("Enter");
    await expect.poll(height).toBeLessThan(500);
    await expect.poll(async () => (await toggle.boundingBox())?.y ?? -1).toBeGreaterThan(0);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Show all");
    await clickAndHear(page, "Copy message", "Copied message");
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(message);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a whole chat is downloaded as Markdown, by its name", async () => {
    const { page, complaints } = await open({ acceptDownloads: true });
    await signInToDemo(page);
    await say(page, "What is blue?");
    await done(page, 1);
    const answer = await page.locator("article.assistant .answer").innerText();
    const chats = page.getByRole("navigation", { name: "Chats" });
    // Where it has become midnight meanwhile, it was yesterday.
    await chats.getByRole("heading", { name: /^(?:Today|Yesterday)$/ }).waitFor();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      chats.getByRole("button", { name: "Download What is blue?" }).press("Enter"),
    ]);
    expect(file.suggestedFilename()).toBe("What is blue.md");
    const text = await readFile(await file.path(), "utf8");
    expect(text).toContain("# What is blue?\n\n## You\n\nWhat is blue?\n\n## Assistant\n\n");
    expect(text).toContain(answer.slice(0, 20));
    await page.route("**/v1/conversations/*/items*", (route) => route.abort());
    await chats.getByRole("button", { name: "Download What is blue?" }).press("Enter");
    await chats.getByText("The chat could not be downloaded.").waitFor();
    expect(complaints).toEqual([]);
    await leave(page);
  });
});
