/** The chat page in a real browser, used as a person would. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { say, signInToDemo, startBrowser, visit } from "./browser.ts";
import { replicas, tokenFor, unique, url } from "./product.ts";

const shots = process.env["PAGE_SHOTS"];
const browser: Browser | null = await startBrowser();

async function everyReplica(path: string, method: string, body?: unknown): Promise<void> {
  for (const replica of replicas) {
    const response = await fetch(`${replica}/_dev/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.body?.cancel();
  }
}

interface Arrived {
  readonly state: string;
  readonly body: { readonly messages?: readonly { readonly content: string }[] };
}

async function arrived(text: string): Promise<Arrived[]> {
  const all = await Promise.all(
    replicas.map(
      async (replica) =>
        ((await (await fetch(`${replica}/_dev/requests`)).json()) as { requests: Arrived[] }).requests,
    ),
  );
  return all.flat().filter((request) => JSON.stringify(request.body).includes(text));
}

describe.skipIf(browser === null)("the chat page", () => {
  const open = (options?: Parameters<typeof visit>[1]) => {
    if (browser === null) throw new Error("skipped without a browser");
    return visit(browser, options);
  };

  beforeAll(() => everyReplica("speed", "POST", { ttft_ms: 0, token_ms: 0 }));
  afterEach(async () => {
    await everyReplica("faults", "DELETE");
    await everyReplica("speed", "POST", { ttft_ms: 0, token_ms: 0 });
  });
  afterAll(() => browser?.close());

  test("from the first visit to the answer: one click, one message, nothing from elsewhere, no complaint", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, "Answer in markdown with headings and a list");
    const answer = page.locator("article.assistant");
    await answer.getByText("stand-in").first().waitFor();
    await expect.poll(() => answer.getAttribute("data-status")).toBe("done");
    expect(await answer.locator("li").count()).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/desktop.png` });
    await page.context().close();
  });

  test("Markdown that holds HTML is shown as text", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await say(page, '<img src=x onerror="alert(1)"> <script>alert(2)</script>');
    await expect.poll(() => page.locator("article.assistant").getAttribute("data-status")).toBe("done");
    expect(await page.locator("article img, article script").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("stop really stops: the page keeps what was said, and the model was aborted", async () => {
    await everyReplica("speed", "POST", { token_ms: 100 });
    const { page } = await open();
    await signInToDemo(page);
    const text = `${unique("stop")} write 300 words`;
    await say(page, text);
    const answer = page.locator("article.assistant");
    await expect.poll(() => answer.getAttribute("data-status")).toBe("streaming");
    await page.keyboard.press("Escape");
    await answer.getByText("Stopped").waitFor();
    await expect.poll(async () => (await arrived(text)).map((request) => request.state)).toEqual(["aborted"]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/stopped.png` });
    await page.context().close();
  });

  test("a reload brings the conversation back, and one in mid-answer follows the answer on", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "First question");
    await expect.poll(() => page.locator("article.assistant").getAttribute("data-status")).toBe("done");
    await everyReplica("speed", "POST", { token_ms: 40 });
    await say(page, "write 120 words");
    const last = page.locator("article.assistant").last();
    await expect.poll(() => last.getAttribute("data-status")).toBe("streaming");
    await page.reload();
    await page.locator("article.user").getByText("First question").waitFor();
    await expect.poll(() => page.locator("article").count()).toBe(4);
    await expect
      .poll(() => page.locator("article.assistant").last().getAttribute("data-status"))
      .toBe("done");
    expect((await arrived("write 120 words")).length).toBe(1);
    await page.context().close();
  });

  const done = (page: Page, count: number) =>
    expect.poll(() => page.locator("article.assistant[data-status=done]").count()).toBe(count);

  /** While an answer is on its way the button is not to be clicked, or not there: looked at again by whoever polls. */
  async function clickIfThere(page: Page, name: string): Promise<void> {
    await page
      .getByRole("button", { name })
      .click({ timeout: 500 })
      .catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== "TimeoutError") throw error;
      });
  }

  async function signInWith(page: Page, token: string): Promise<void> {
    await page.getByRole("textbox", { name: /sign in with a token/i }).fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByLabel("Message", { exact: true }).waitFor();
  }

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
    await page.context().close();
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
    await page.context().close();
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
    await everyReplica("speed", "POST", { token_ms: 100 });
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
    for (const { page } of [first, second]) await page.context().close();
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
    await page.context().close();
  });

  test("an error rolls the message back, says what to do, and Try again sends it", async () => {
    await everyReplica("faults", "POST", { fault: "status", status: 500 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "Hello there");
    await page.getByRole("alert").getByText("The service has trouble").waitFor({ timeout: 30_000 });
    expect(await page.locator("article").count()).toBe(0);
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("Hello there");
    if (shots !== undefined) await page.screenshot({ path: `${shots}/error.png` });
    await everyReplica("faults", "DELETE");
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
    await page.context().close();
  });

  test("an answer that breaks off keeps what had come, and Regenerate asks for it again", async () => {
    await everyReplica("faults", "POST", { fault: "cut_after", after: 5 });
    const { page } = await open();
    await signInToDemo(page);
    await say(page, "write 60 words");
    const alert = page.getByRole("alert").getByText("The answer broke off");
    await alert.waitFor({ timeout: 30_000 });
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
    expect(await page.locator("article.assistant").textContent()).toContain("A request comes in");
    await everyReplica("faults", "DELETE");
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
    await page.context().close();
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
    await page.context().close();
  });

  test("on a phone, too, a message that is too long is said to be", async () => {
    const { page } = await open({ viewport: { width: 390, height: 844 } });
    await signInToDemo(page);
    await page.getByLabel("Message", { exact: true }).fill("word ".repeat(7000));
    await page.getByRole("alert").getByText("3,000 characters too long").waitFor();
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    await page.context().close();
  });

  test("a limit counts down to its reset, and sending waits for it", async () => {
    const token = await tokenFor({ tier: "free" });
    const asked = await Promise.all(
      Array.from({ length: 120 }, () =>
        fetch(`${url}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({ model: "auto", max_tokens: 1, messages: [{ role: "user", content: "x" }] }),
        }).then((response) => response.status),
      ),
    );
    expect(asked).toContain(429);
    const { page } = await open();
    await page.getByRole("textbox", { name: /sign in with a token/i }).fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await say(page, "One more");
    await page
      .getByRole("alert")
      .getByText(/You can send again in/)
      .waitFor();
    await page.getByText("Your plan has 100 messages an hour.").waitFor();
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/limit.png` });
    await page.context().close();
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
    await page.context().close();
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
    await page.context().close();
  });

  test("the API reference renders under its policy", async () => {
    const { page, complaints } = await open();
    await page.goto(`${url}/docs`);
    await page.getByText("Answer a chat").first().waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

test("the first load is at most 90 KB, gzipped: the page, its script and its styles", () => {
  const assets = `${root}dist/assets`;
  const page = readFileSync(`${assets}/index.html`, "utf8");
  const named = [...page.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(named.length).toBeGreaterThanOrEqual(2);
  const files = [Buffer.from(page), ...named.map((path) => readFileSync(`${assets}${path}`))];
  const total = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).byteLength, 0);
  expect(total).toBeLessThanOrEqual(90 * 1024);
  expect(readdirSync(`${assets}/web`).length).toBeGreaterThan(2);
});
