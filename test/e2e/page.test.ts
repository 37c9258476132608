/** The chat page in a real browser, used as a person would. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
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
    await everyReplica("speed", "POST", { token_ms: 40 });
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
      .poll(() => page.locator("article.assistant").last().getAttribute("data-status"), { timeout: 20_000 })
      .toBe("done");
    expect((await arrived("write 120 words")).length).toBe(1);
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
          const again = page.getByRole("button", { name: "Try again" });
          if (await again.isEnabled({ timeout: 500 }).catch(() => false)) await again.click();
          return page.locator("article.assistant[data-status=done]").count();
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(1);
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
    await page.getByText("Answer a chat").first().waitFor({ timeout: 20_000 });
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
