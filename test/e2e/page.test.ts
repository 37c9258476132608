/** The chat page in a real browser, used as a person would. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { say, signInToDemo, startBrowser, leave } from "./browser.ts";
import { answerIs, beingWritten, chatPage, clickAndHear, done, shots } from "./chat-page.ts";
import { reachedWith, setSpeed, unique, url } from "./product.ts";

const browser = await startBrowser();

describe.skipIf(browser === null)("the chat page", () => {
  const open = chatPage(browser);

  test("from the first visit to the answer: one click, one message, nothing from elsewhere, no complaint", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "Answer in markdown with headings and a list");
    const answer = page.locator("article.assistant");
    await answer.getByText("stand-in").first().waitFor();
    await expect.poll(() => answer.getAttribute("data-status")).toBe("done");
    // The words are there before the reader of Markdown is.
    await answer.locator("li").first().waitFor();
    expect(complaints).toEqual([]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/desktop.png` });
    await leave(page);
  });

  test("Markdown that holds HTML is shown as text", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, '<img src=x onerror="alert(1)"> <script>alert(2)</script>');
    await expect.poll(() => page.locator("article.assistant").getAttribute("data-status")).toBe("done");
    expect(await page.locator("article img, article script").count()).toBe(0);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("an answer and the code in it are copied as they were written; without a clipboard they are selected", async () => {
    const { page } = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    await signInToDemo(page);
    await say(page, "Some code");
    await done(page, 1);
    const text = "Look:\n\n```js\nconst a = 1;\n```\n\n*There.*";
    await answerIs(page, text);
    await page.reload();
    await page.locator("article.assistant pre").waitFor();
    const clipboard = () => page.evaluate<string>("navigator.clipboard.readText()");
    await clickAndHear(page, "Copy code", "Copied code");
    expect(await clipboard()).toBe("const a = 1;");
    await clickAndHear(page, "Copy answer", "Copied answer");
    expect(await clipboard()).toBe(text);
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await clickAndHear(page, "Copy code", "Selected code");
    expect(await page.evaluate<string>("String(getSelection())")).toBe("const a = 1;");
    await leave(page);
  });

  test("stop really stops: the page keeps what was said, and the model was aborted", async () => {
    await setSpeed({ token_ms: 300 });
    const { page } = await open();
    await signInToDemo(page);
    const text = `${unique("stop")} write 300 words`;
    await say(page, text);
    const answer = page.locator("article.assistant");
    await beingWritten(page);
    await page.keyboard.press("Escape");
    await answer.getByText("Stopped").waitFor();
    const states = async () =>
      (await reachedWith(text)).map((all) => [...new Set(all.map(({ state }) => state))]);
    await expect.poll(states).toEqual([["aborted"]]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/stopped.png` });
    await leave(page);
  });

  test("a reload brings the conversation back, and one in mid-answer follows the answer on", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "First question");
    await expect.poll(() => page.locator("article.assistant").getAttribute("data-status")).toBe("done");
    await setSpeed({ token_ms: 1000 });
    // Other files ask this stack for 120 words as well.
    const text = `${unique("reload")} write 120 words`;
    await say(page, text);
    await beingWritten(page);
    await page.reload();
    await page.locator("article.user").getByText("First question").waitFor();
    await expect.poll(() => page.locator("article").count()).toBe(4);
    await beingWritten(page);
    await setSpeed({ token_ms: 0 });
    await expect
      .poll(() => page.locator("article.assistant").last().getAttribute("data-status"))
      .toBe("done");
    expect((await reachedWith(text)).length).toBe(1);
    await leave(page);
  });

  test("a new chat asks nothing of the server that it can't know", async () => {
    const { page } = await open();
    const missing: string[] = [];
    page.on("response", (response) => response.status() === 404 && missing.push(response.url()));
    await signInToDemo(page);
    await say(page, "Hello");
    await done(page, 1);
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await page.getByRole("button", { name: "New chat" }).click();
    await page.reload();
    await page.getByText("What would you like to know?").waitFor();
    expect(missing).toEqual([]);
    await leave(page);
  });

  test.each([
    ["light", "desktop"],
    ["dark", "desktop"],
    ["light", "phone"],
    ["dark", "phone"],
  ] as const)("nothing overflows in %s on a %s", async (colorScheme, device) => {
    const viewport = device === "phone" ? { width: 390, height: 844 } : { width: 1280, height: 800 };
    const { page, complaints } = await open({ colorScheme, viewport });
    if (shots !== undefined) await page.screenshot({ path: `${shots}/sign-in-${colorScheme}-${device}.png` });
    await signInToDemo(page);
    await say(page, `Show a code example and a table ${"long".repeat(60)}`);
    await expect.poll(() => page.locator("article.assistant").getAttribute("data-status")).toBe("done");
    if (shots !== undefined) await page.screenshot({ path: `${shots}/chat-${colorScheme}-${device}.png` });
    const overflow = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    expect(overflow).toBe(0);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("the API reference renders under its policy, also for a fragment that names no operation", async () => {
    const { page, complaints } = await open();
    await page.goto(`${url}/docs`);
    await page.getByText("Create a chat completion").first().waitFor();
    const introduction = page.getByText("existing clients work unchanged");
    await introduction.waitFor();
    for (const fragment of ["no-operation", ""]) {
      await page.evaluate(`location.hash = "?route=post-/v1/chat/completions"`);
      await introduction.waitFor({ state: "detached" });
      await page.evaluate(`location.hash = "${fragment}"`);
      await introduction.waitFor();
    }
    expect(complaints).toEqual([]);
    await leave(page);
  });
});

test("a first visit loads at most 90 kB, gzipped, before it can ask its first question: the page, its icon, styles and script, and the chat behind the sign-in", () => {
  const assets = `${root}dist/assets`;
  const page = readFileSync(`${assets}/index.html`, "utf8");
  const named = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg))"/g)].map(([, path = ""]) => path);
  expect(named.map((path) => path.replace(/^.*\./, "")).sort()).toEqual(["css", "js", "svg"]);
  const all = readdirSync(`${assets}/web`);
  const chat = all.filter((name) => name.startsWith("signed-in-")).map((name) => `/web/${name}`);
  expect(chat.length).toBe(1);
  const first = [...named, ...chat];
  const files = first.map((path) => readFileSync(`${assets}${path}`));
  const sum = [Buffer.from(page), ...files].reduce((bytes, file) => bytes + zipped(file), 0);
  expect(sum).toBeLessThanOrEqual(90_000);
  // Nor do they bring others: whatever they import from is counted.
  const imported = files.flatMap((file) => [...file.toString().matchAll(/from\s*"\.\/([^"]+)"/g)]);
  for (const [, name] of imported) expect(first).toContain(`/web/${name}`);
  // Messages but for their words, what the server keeps, files and formulas are loaded for themselves.
  for (const late of ["message-parts-", "kept-chats-", "shown-desk-", "set-formula-", "code-worker-"])
    expect(all.filter((name) => name.startsWith(late)).length).toBe(1);
});

function zipped(file: Buffer): number {
  return gzipSync(file, { level: 9 }).byteLength;
}
