/** A real headless browser on the running product, and what it complained about. */
import chromium from "@sparticuz/chromium";
import { chromium as playwright, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { keepAsking, LastLines } from "./last-words.ts";
import { url } from "./product.ts";

/** `null`: this machine lacks the system libraries that Chromium needs (libnss3, libnspr4). In CI that is a failure. */
export async function startBrowser(): Promise<Browser | null> {
  try {
    // Only this argument: the package's own list holds --single-process, which ends the browser with its first page.
    return await playwright.launch({
      executablePath: await chromium.executablePath(),
      args: ["--no-sandbox"],
      headless: true,
    });
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return null;
  }
}

export interface Visit {
  readonly page: Page;
  /** Errors, violations of the policy, and requests to anywhere else. */
  readonly complaints: string[];
  /** Bytes of each answer as it came over the wire, by path. */
  readonly bytes: Map<string, number>;
}

let visits = 0;

export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const bytes = new Map<string, number>();
  const events = new LastLines();
  page.on("console", (message) => events.add(`console: ${message.text()}`));
  page.on("requestfailed", (one) => events.add(`failed: ${shortOf(one.url())} ${one.failure()?.errorText}`));
  page.on("response", (one) => {
    if (!one.ok()) events.add(`${one.status()}: ${shortOf(one.url())}`);
  });
  const forget = keepAsking(
    `page ${(visits += 1)} showed last`,
    async () =>
      `${page.url()}, "${await page.title()}"\n${await page.locator("body").innerText()}\n${complaints.join("\n")}\n${events.text()}`,
    () => leave(page),
  );
  page.once("close", forget);
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // An answer that is no 2xx is the test's own doing.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:"))
      complaints.push(`elsewhere: ${request.url()}`);
  });
  page.on("response", (response) => {
    void response.body().then(
      (body) => bytes.set(new URL(response.url()).pathname, body.byteLength),
      // A stream that was stopped has no body to measure.
      () => undefined,
    );
  });
  await page.goto(url);
  return { page, complaints, bytes };
}

function shortOf(address: string): string {
  return address.startsWith(url) ? address.slice(url.length) : address.slice(0, 80);
}

/** Ends a visit. A request that a test's own route is still answering (the page may ask at any moment) fails nobody then. */
export async function leave(page: Page): Promise<void> {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.context().close();
}

/** Signs in with one click, as a first visitor does. */
export async function signInToDemo(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Try the demo" }).click();
  await page.getByLabel("Message", { exact: true }).waitFor();
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  // Enabled once the conversation is restored and there is something to send.
  await page.getByRole("button", { name: "Send" }).and(page.locator(":enabled")).waitFor();
  await page.keyboard.press("Enter");
}
