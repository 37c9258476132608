/** Pictures on the chat page: shown to a model that looks at them, with their message and no other. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { chatPage, done, faultEverywhere, shots } from "./chat-page.ts";
import { reachedWith, unique } from "./product.ts";

const browser = await startBrowser();
/** One pixel. */
const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

async function choose(page: Page, ...names: readonly string[]): Promise<void> {
  await page
    .locator("input[type=file]")
    .setInputFiles(names.map((name) => ({ name, mimeType: "image/png", buffer: pixel })));
}

/** What the model was shown beside this text. */
async function shownWith(text: string): Promise<string[]> {
  const asked = (await reachedWith(text)).map(([first]) => JSON.stringify(first?.body));
  return asked.flatMap((body) =>
    [...body.matchAll(/data:image\/(\w+);base64/g)].map(([, kind = ""]) => kind),
  );
}

describe.skipIf(browser === null)("pictures on the chat page", () => {
  const open = chatPage(browser);

  test("a picture goes with its message to a model that sees, is there behind a reload, and asked anew it goes again", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await choose(page, "garden.png");
    await page.locator(".chip-state").getByText("Ready").waitFor();
    const text = unique("What is this?");
    await say(page, text);
    await page.getByRole("alert").getByText("can't look at pictures. Choose qwen3-reason").waitFor();
    expect(await page.locator("article").count()).toBe(0);
    await page.getByLabel("Model").selectOption("qwen3-reason");
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByLabel("Message", { exact: true }).press("Enter");
    await done(page, 1);
    expect(await shownWith(text)).toEqual(["jpeg"]);
    const picture = page.locator("article.user").getByAltText("Attached picture 1");
    await picture.waitFor();
    expect(await page.locator(".chip").count()).toBe(0);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/pictures.png` });
    await page.reload();
    await picture.waitFor();
    await page.getByRole("button", { name: "Regenerate" }).click();
    await page.getByRole("group", { name: "Versions of this message" }).waitFor();
    await done(page, 1);
    expect(await shownWith(text)).toEqual(["jpeg", "jpeg"]);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a picture of a message that was refused is back with its words; one that can't be read says what to do", async () => {
    const { page } = await open();
    await signInToDemo(page);
    await page.getByLabel("Model").selectOption("qwen3-reason");
    await page.locator("input[type=file]").setInputFiles({
      name: "broken.png",
      mimeType: "image/png",
      buffer: Buffer.from("no picture"),
    });
    await page.locator(".chip-state").getByText("Attach it as JPEG or PNG.").waitFor();
    await page.getByRole("button", { name: "Remove broken.png" }).click();
    await choose(page, "1.png", "2.png", "3.png", "4.png", "5.png");
    await page.locator(".chip-state").getByText("A message has room for 4 pictures.").waitFor();
    await page.getByRole("button", { name: "Remove 5.png" }).click();
    await faultEverywhere({ fault: "status", status: 500 });
    await say(page, "What is this?");
    await page.getByRole("alert").getByText("The service has trouble").waitFor({ timeout: 30_000 });
    await expect.poll(() => page.locator(".chip").count()).toBe(4);
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("What is this?");
    await leave(page);
  });
});
