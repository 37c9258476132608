/** Chats beside each other on the page: their list, the versions of a message, a second device. */
import { describe, expect, test } from "vitest";
import { say, signInToDemo, startBrowser, leave } from "./browser.ts";
import { chatPage, done, shots, signInWith } from "./chat-page.ts";
import { setSpeed, tokenFor } from "./product.ts";

const browser = await startBrowser();

describe.skipIf(browser === null)("the chat page", () => {
  const open = chatPage(browser);

  test("chats are listed by their titles, opened, renamed and deleted", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    const chats = page.getByRole("navigation", { name: "Chats" });
    await chats.getByText("Your chats will be listed here.").waitFor();
    await say(page, "Plan a garden");
    await done(page, 1);
    await chats.getByRole("button", { name: "Plan a garden", exact: true }).waitFor();
    await chats.getByRole("button", { name: "New chat" }).click();
    await page.getByText("What would you like to know?").waitFor();
    await say(page, "Bake a cake");
    await done(page, 1);
    await expect
      .poll(() => chats.locator(".open").allTextContents())
      .toEqual(["Bake a cake", "Plan a garden"]);
    const garden = chats.getByRole("button", { name: "Plan a garden", exact: true });
    await garden.click();
    await page.locator("article.user").getByText("Plan a garden").waitFor();
    expect(await garden.getAttribute("aria-current")).toBe("page");
    await chats.getByRole("button", { name: "Rename Plan a garden" }).click();
    await page.keyboard.type("Garden");
    await page.keyboard.press("Enter");
    if (shots !== undefined) await page.screenshot({ path: `${shots}/chats.png` });
    await page.reload();
    await chats.getByRole("button", { name: "Garden", exact: true }).waitFor();
    await chats.getByRole("button", { name: "Delete Garden" }).click();
    if (shots !== undefined) await page.screenshot({ path: `${shots}/chats-delete.png` });
    await chats.getByRole("button", { name: "Delete", exact: true }).click();
    await expect.poll(() => chats.locator(".open").allTextContents()).toEqual(["Bake a cake"]);
    await page.getByText("What would you like to know?").waitFor();
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a message is edited and an answer asked again; every version stays and can be looked at", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "First question");
    await done(page, 1);
    await say(page, "Second question");
    await done(page, 2);
    const said = () => page.locator("article.user .said").allTextContents();
    await page.getByRole("button", { name: "Edit" }).first().click();
    await page.getByLabel("Edit message").fill("Edited question");
    if (shots !== undefined) await page.screenshot({ path: `${shots}/edit.png` });
    await page.keyboard.press("Enter");
    await expect.poll(said).toEqual(["Edited question"]);
    await done(page, 1);
    const versions = page.getByRole("group", { name: "Versions of this message" });
    await expect.poll(() => versions.allTextContents()).toEqual(["‹Version 2/2›"]);
    await page.getByRole("button", { name: "Regenerate" }).click();
    await expect.poll(() => versions.allTextContents()).toEqual(["‹Version 3/3›"]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/versions.png` });
    await page.getByRole("button", { name: "Previous version" }).click();
    await expect.poll(() => versions.allTextContents()).toEqual(["‹Version 2/3›"]);
    await page.getByRole("button", { name: "Previous version" }).click();
    await expect.poll(said).toEqual(["First question", "Second question"]);
    await page.reload();
    await expect.poll(said).toEqual(["First question", "Second question"]);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("what was typed in a chat is there when it is opened again; a message that was sent as it was left is, too", async () => {
    const { page } = await open();
    const field = page.getByLabel("Message", { exact: true });
    await signInToDemo(page);
    await say(page, "First question");
    await done(page, 1);
    const chats = page.getByRole("navigation", { name: "Chats" });
    await chats.getByRole("button", { name: "First question", exact: true }).waitFor();
    await field.fill("half a thought");
    await chats.getByRole("button", { name: "New chat" }).click();
    await page.getByText("What would you like to know?").waitFor();
    expect(await field.inputValue()).toBe("");
    await setSpeed({ ttft_ms: 500 });
    await say(page, "Second question");
    await chats.getByRole("button", { name: "First question", exact: true }).click();
    await expect.poll(() => field.inputValue()).toBe("half a thought");
    await expect
      .poll(
        async () => {
          await page.reload();
          await chats.locator("button.open").first().waitFor();
          return chats.locator("button.open").count();
        },
        { interval: 1000 },
      )
      .toBe(2);
    await chats.locator("button.open").first().click();
    await page.locator("article.user").getByText("Second question").waitFor();
    await done(page, 1);
    await leave(page);
  });

  test("Escape that leaves a name as it was stops no answer", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "First question");
    await done(page, 1);
    await setSpeed({ token_ms: 40 });
    await say(page, "write 60 words");
    const last = page.locator("article.assistant").last();
    await expect.poll(() => last.getAttribute("data-status")).toBe("streaming");
    await page
      .getByRole("button", { name: /^Rename/ })
      .first()
      .click();
    await page.getByLabel("Name of the chat").press("Escape");
    await done(page, 2);
    await leave(page);
  });

  test("a second device sees the answer as it is written, and can stop it", async () => {
    const token = await tokenFor({});
    const first = await open();
    await signInWith(first.page, token);
    await say(first.page, "Hello from the first");
    await done(first.page, 1);
    const second = await open();
    await signInWith(second.page, token);
    await second.page.getByRole("button", { name: "Hello from the first", exact: true }).click();
    await done(second.page, 1);
    await setSpeed({ token_ms: 100 });
    await say(first.page, "write 300 words");
    await second.page.locator("article.user").getByText("write 300 words").waitFor();
    const growing = second.page.locator("article.assistant").last();
    await expect.poll(() => growing.getAttribute("data-status")).toBe("streaming");
    await second.page.getByRole("button", { name: "Stop" }).click();
    await expect
      .poll(() => first.page.locator("article.assistant").last().getAttribute("data-status"))
      .toBe("cut");
    const told = () =>
      Promise.all([first, second].map(({ page }) => page.locator("article .said").allTextContents()));
    await expect.poll(told).toEqual([
      ["Hello from the first", "write 300 words"],
      ["Hello from the first", "write 300 words"],
    ]);
    expect([...first.complaints, ...second.complaints]).toEqual([]);
    for (const { page } of [first, second]) await leave(page);
  });

  test("on a phone the chats lie over the chat, and close by Escape, a choice, or beside them", async () => {
    const { page } = await open({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    await signInToDemo(page);
    await say(page, "A small thing");
    await done(page, 1);
    const chats = page.getByRole("navigation", { name: "Chats" });
    expect(await chats.isVisible()).toBe(false);
    const toggle = page.getByRole("button", { name: "Chats", exact: true });
    await toggle.click();
    await chats.getByRole("button", { name: "A small thing", exact: true }).waitFor();
    expect(await toggle.getAttribute("aria-expanded")).toBe("true");
    if (shots !== undefined) {
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${shots}/chats-phone.png` });
    }
    await page.keyboard.press("Escape");
    await expect.poll(() => chats.isVisible()).toBe(false);
    await toggle.click();
    await page
      .getByRole("button", { name: "Close the list of chats" })
      .click({ position: { x: 380, y: 300 } });
    await expect.poll(() => chats.isVisible()).toBe(false);
    await toggle.click();
    await chats.getByRole("button", { name: "New chat" }).click();
    await expect.poll(() => chats.isVisible()).toBe(false);
    await page.getByText("What would you like to know?").waitFor();
    await leave(page);
  });

  test("Back and Forward go from chat to chat, which the tab is named by; a new chat is one step, however often it is asked for", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "Plan a garden");
    await done(page, 1);
    await expect.poll(() => page.title()).toBe("Plan a garden – Edgewise");
    const chats = page.getByRole("navigation", { name: "Chats" });
    for (let times = 0; times < 3; times += 1) await chats.getByRole("button", { name: "New chat" }).click();
    await page.getByText("What would you like to know?").waitFor();
    expect(await page.title()).toBe("Edgewise");
    await say(page, "Bake a cake");
    await done(page, 1);
    const said = () => page.locator("article .said").allTextContents();
    await page.goBack();
    await expect.poll(said).toEqual(["Plan a garden"]);
    await page.goForward();
    await expect.poll(said).toEqual(["Bake a cake"]);
    await page.goBack();
    await expect.poll(said).toEqual(["Plan a garden"]);
    await page.reload();
    await expect.poll(said).toEqual(["Plan a garden"]);
    await leave(page);
  });

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
    await expect.poll(read).toBeGreaterThan(0);
    expect(await read()).toBeLessThan(300);
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
