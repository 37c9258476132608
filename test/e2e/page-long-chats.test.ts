/** Chats that are longer than the page is high: what of them is there, and that nothing moves under who reads. */
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { beingWritten, chatPage, done } from "./chat-page.ts";
import { setSpeed } from "./product.ts";

const browser = await startBrowser();

describe.skipIf(browser === null)("the chat page", () => {
  const open = chatPage(browser);

  test("earlier messages come in above what is read, and stay when a turn is saved", async () => {
    const { page } = await open({ viewport: { width: 1280, height: 600 } });
    await signInToDemo(page);
    await say(page, "The last question");
    await done(page, 1);
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await page.route("**/v1/conversations/*/items*", async (route) => {
      const asked = new URL(route.request().url());
      const items = (page: string, count: number) =>
        Array.from({ length: count }, (_, at) => ({
          id: `${page}-${at}`,
          role: "user",
          content: [{ type: "input_text", text: `Message ${page}-${at}` }],
        }));
      if (asked.searchParams.get("after") !== null)
        return route.fulfill({ json: { data: items("old", 40), has_more: false } });
      const answer = await route.fetch();
      const list = (await answer.json()) as { data: object[] };
      await route.fulfill({
        response: answer,
        json: { data: [...list.data, ...items("new", 40)], has_more: true },
      });
    });
    await page.reload();
    await page.getByText("Message new-39").waitFor();
    await page.evaluate("document.querySelector('main').scrollTop = 0");
    await page.getByRole("button", { name: "Show earlier messages" }).click();
    await page.getByText("Message old-39").waitFor({ state: "attached" });
    const read = async () => (await page.getByText("Message new-39").boundingBox())?.y ?? -1;
    await expect.poll(read).toSatisfy((y: number) => y > 0 && y < 300);
    expect(await page.getByRole("button", { name: "Show earlier messages" }).count()).toBe(0);
    await say(page, "One more");
    await page.getByRole("button", { name: "Regenerate" }).last().waitFor();
    await expect.poll(() => page.locator("article").count()).toBe(84);
    await leave(page);
  });

  test("of a long conversation no more than two hundred messages are on the page; whoever goes up and down reads on where he was", async () => {
    const { page } = await open({ viewport: { width: 1280, height: 600 } });
    await signInToDemo(page);
    await say(page, "The last question");
    await done(page, 1);
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    const made = (page: number, count: number) =>
      Array.from({ length: count }, (_, at) => ({
        id: `item-${page}-${at}`,
        role: at % 2 === 0 ? "user" : "assistant",
        content: [{ type: "input_text", text: `Message ${page}-${at} of them.` }],
      }));
    let pages = 0;
    await page.route("**/v1/conversations/*/items*", async (route) => {
      if (new URL(route.request().url()).searchParams.get("after") !== null) {
        pages += 1;
        return route.fulfill({ json: { data: made(pages, 100), has_more: pages < 3 } });
      }
      const answer = await route.fetch();
      const { data } = (await answer.json()) as { data: object[] };
      await route.fulfill({ response: answer, json: { data: [...data, ...made(0, 98)], has_more: true } });
    });
    await page.reload();
    await page.getByText("Message 0-97 of them.").waitFor();
    const articles = () => page.locator("article").count();
    const up = page.getByRole("button", { name: "Show earlier messages" });
    const nameIn = (text: string) => /Message \d+-\d+ of them\./.exec(text)?.[0] ?? "";
    const placeOf = async (text: string) =>
      (await page.getByText(text, { exact: true }).boundingBox())?.y ?? Number.NaN;
    for (const loaded of [1, 2, 3]) {
      await page.evaluate("document.querySelector('main').scrollTop = 0");
      const first = nameIn(await page.locator("article").first().innerText());
      const before = await placeOf(first);
      await up.click();
      await page.getByText(`Message ${loaded}-50 of them.`).waitFor({ state: "attached" });
      expect(await articles()).toBeLessThanOrEqual(200);
      await expect.poll(async () => Math.abs((await placeOf(first)) - before)).toBeLessThan(60);
    }
    await page.getByText("Message 3-99 of them.").waitFor({ state: "attached" });
    expect(await up.count()).toBe(0);
    const down = page.getByRole("button", { name: "Show later messages" });
    while ((await down.count()) > 0) {
      await down.scrollIntoViewIfNeeded();
      const last = nameIn(await page.locator("article").last().innerText());
      const before = await placeOf(last);
      await down.click();
      expect(await articles()).toBeLessThanOrEqual(200);
      await expect.poll(async () => Math.abs((await placeOf(last)) - before)).toBeLessThan(60);
    }
    const question = page.locator("article.user").getByText("The last question");
    await question.waitFor({ state: "attached" });
    await page.evaluate("document.querySelector('main').scrollTop = 0");
    await up.click();
    await page.getByRole("button", { name: "Go to the latest" }).click();
    await question.waitFor();
    await page.evaluate("document.querySelector('main').scrollTop = 0");
    await up.click();
    await say(page, "One more");
    await page.locator("article.user").getByText("One more").waitFor();
    await leave(page);
  });

  test("the dot of an answer that is written takes no line of its own, wherever its last word ends", async () => {
    await setSpeed({ token_ms: 1000 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "write 30 words");
    await page.locator("article.assistant .answer p").waitFor();
    await beingWritten(page);
    const moved = await page.evaluate<number[]>(`(() => {
      const article = document.querySelector("article.assistant");
      const paragraph = article.querySelector(".answer p");
      paragraph.firstChild.data = "Some words of an answer, of which the last ends anywhere in its line";
      const moved = [];
      for (let width = 80; width < 280; width += 1) {
        paragraph.style.width = width + "px";
        article.dataset.status = "streaming";
        const during = paragraph.offsetHeight;
        article.dataset.status = "done";
        if (paragraph.offsetHeight !== during) moved.push(width);
      }
      article.dataset.status = "streaming";
      return moved;
    })()`);
    expect(moved).toEqual([]);
    await leave(page);
  });

  test("a draft of many lines moves nothing of the conversation above it, and has no scroll bar before it is as high as it may be", async () => {
    const { page } = await open({ viewport: { width: 1280, height: 700 } });
    await signInToDemo(page);
    await say(page, "write 600 words");
    await done(page, 1);
    const field = page.getByLabel("Message", { exact: true });
    await field.fill(Array.from({ length: 9 }, (_, at) => `line ${at}`).join("\n"));
    const rest = () =>
      page.evaluate<number>(
        "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('main'))",
      );
    await expect.poll(rest).toBeLessThan(2);
    await field.press("End");
    for (const letter of "more") {
      await page.keyboard.type(letter);
      // Two frames: what a scroll brings about has come about.
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      expect(await rest()).toBeLessThan(2);
    }
    const hidden = () =>
      page.evaluate<number>(
        "(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.querySelector('#message'))",
      );
    expect(await hidden()).toBe(0);
    await field.fill("words ".repeat(50));
    const wide = (await field.boundingBox())?.height ?? 0;
    await page.setViewportSize({ width: 500, height: 900 });
    await expect.poll(async () => (await field.boundingBox())?.height ?? 0).toBeGreaterThan(wide);
    expect(await hidden()).toBe(0);
    await leave(page);
  });
});
