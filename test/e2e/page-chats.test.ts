/** Chats beside each other on the page: their list, the versions of a message, a second device. */
import { describe, expect, test } from "vitest";
import { say, signInToDemo, startBrowser, leave } from "./browser.ts";
import { beingWritten, chatPage, done, shots, signInWith } from "./chat-page.ts";
import { clientFor, setSpeed, tokenFor } from "./product.ts";

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

  test("a chat that a program had with a file shows which file came with what was asked", async () => {
    const client = await clientFor();
    const file = { filename: "notes.txt", file_data: btoa("Basalt is a volcanic rock.") };
    const content = [
      { type: "text", text: "What kind of rock is basalt?" },
      { type: "file", file },
    ];
    const messages = [{ role: "user", content }];
    await client.post("/chat/completions", {
      body: { model: "auto", conversation_id: "by-program", messages },
    });
    const { page, complaints } = await open();
    await signInWith(page, client.apiKey ?? "");
    await page.getByRole("button", { name: "What kind of rock is basalt?", exact: true }).click();
    await page.locator("article.user").getByText("With it came notes.txt").waitFor();
    await page.locator("article.assistant").getByText("Basalt is a volcanic rock [notes.txt]").waitFor();
    expect(await page.getByRole("button", { name: "Edit" }).count()).toBe(0);
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
    await setSpeed({ token_ms: 1000 });
    await say(page, "write 60 words");
    await beingWritten(page);
    await page
      .getByRole("button", { name: /^Rename/ })
      .first()
      .click();
    await page.getByLabel("Name of the chat").press("Escape");
    await setSpeed({ token_ms: 0 });
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
    await setSpeed({ token_ms: 1000 });
    await say(first.page, "write 300 words");
    await second.page.locator("article.user").getByText("write 300 words").waitFor();
    await beingWritten(second.page);
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

  test("a chat that is there at once is not said to be loading; one that is waited for is", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "Plan a garden");
    await done(page, 1);
    const come = Promise.withResolvers<void>();
    await page.route("**/v1/conversations/*/items*", async (route) => {
      await come.promise;
      await route.continue();
    });
    await page.addInitScript(`new MutationObserver(() => {
      const loading = document.querySelector(".messages .late");
      if (loading !== null) window.firstSeen ??= getComputedStyle(loading).opacity;
    }).observe(document, { childList: true, subtree: true })`);
    await page.reload();
    const loading = page.getByText("Loading the conversation…");
    await expect.poll(() => loading.evaluate((element) => getComputedStyle(element).opacity)).toBe("1");
    expect(await page.evaluate("window.firstSeen")).toBe("0");
    come.resolve();
    await done(page, 1);
    expect(await loading.count()).toBe(0);
    expect(complaints).toEqual([]);
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
    await expect.poll(() => page.title()).toBe("Edgewise");
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
});
