/** Files on the chat page: attached, asked about, there again behind a reload, gone with their chat. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { beingWritten, chatPage, done, shots, signInWith } from "./chat-page.ts";
import { archive, chip, choose, question, ready, rules } from "./page-with-files.ts";
import { clientFor, setSpeed, tokenFor, unique } from "./product.ts";

const browser = await startBrowser();

async function overflow(page: Page): Promise<unknown> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** A file that is dragged over the page, or dropped on it, or pasted: as a browser tells of it. */
async function bring(page: Page, how: "dragover" | "drop" | "paste", name: string): Promise<void> {
  await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File(["Maps never leave the house."], ${JSON.stringify(name)}, { type: "text/plain" }));
    const options = { bubbles: true, cancelable: true };
    document.querySelector("#message").dispatchEvent(
      ${JSON.stringify(how)} === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent(${JSON.stringify(how)}, { ...options, dataTransfer: data }),
    );
  })()`);
}

describe.skipIf(browser === null)("files on the chat page", () => {
  const open = chatPage(browser);

  test("a file is attached and asked about, is there behind a reload and in later questions, and goes with its chat", async () => {
    const caller = { user: unique(), org: unique("o") };
    const { page, complaints, bytes } = await open();
    await signInWith(page, await tokenFor(caller));
    expect([...bytes.keys()].filter((path) => path.includes("desk"))).toEqual([]);
    await choose(page, ["rules.md", rules], ["hours.md", "The reading room is open from nine to five."]);
    await ready(page, "rules.md");
    await ready(page, "hours.md");
    if (shots !== undefined) await page.screenshot({ path: `${shots}/files-ready.png` });
    await say(page, question);
    await done(page, 1);
    const answers = page.locator("article.assistant");
    const cited = () => answers.last().locator(".sources summary").allTextContents();
    await expect.poll(cited).toEqual(["[1] rules.md"]);
    const folded = page.getByText("2 files in this chat");
    await folded.waitFor();
    expect(await page.getByRole("button", { name: "Remove rules.md" }).count()).toBe(0);
    const client = await clientFor(caller);
    const conversationIsTold = async () => {
      const answer = (await client.get("/conversations")) as { data: { metadata: object }[] };
      return Object.keys(answer.data[0]?.metadata ?? {});
    };
    await expect.poll(conversationIsTold).toEqual(["chat_files_store"]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/files-answer.png` });
    await page.reload();
    await folded.click();
    expect((await page.locator(".chip .chip-name").allTextContents()).sort()).toEqual([
      "hours.md",
      "rules.md",
    ]);
    await say(page, `And once more: ${question}`);
    await done(page, 2);
    await expect.poll(cited).toEqual(["[1] rules.md"]);
    // On a device that knows nothing of this one.
    const another = await open();
    await signInWith(another.page, await tokenFor(caller));
    await another.page.locator("button.open").first().click();
    await another.page.getByText("2 files in this chat").waitFor();
    await leave(another.page);
    expect((await client.files.list()).data.length).toBe(2);
    const chats = page.getByRole("navigation", { name: "Chats" });
    await chats.getByRole("button", { name: /^Delete/ }).click();
    await chats.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("What would you like to know?").waitFor();
    await expect
      .poll(async () => [
        (await client.files.list()).data.length,
        (await client.vectorStores.list()).data.length,
      ])
      .toEqual([0, 0]);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a file is dropped and pasted, taken back until it is asked about, and the keyboard is where files come from", async () => {
    const caller = { user: unique(), org: unique("o") };
    const { page, complaints } = await open();
    await signInWith(page, await tokenFor(caller));
    // As a browser says it again and again: the code for it comes behind the field.
    const held = async (): Promise<number> => {
      await bring(page, "dragover", "maps.txt");
      return page.getByText("Drop files here").count();
    };
    await expect.poll(held).toBe(1);
    await bring(page, "drop", "maps.txt");
    await page.getByText("Drop files here").waitFor({ state: "detached" });
    await ready(page, "maps.txt");
    await bring(page, "paste", "pasted.txt");
    await ready(page, "pasted.txt");
    await page.getByRole("button", { name: "Remove maps.txt" }).press("Enter");
    await chip(page, "maps.txt").waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("attach");
    await page.locator(".files [role=status]").getByText("maps.txt is removed.").waitFor();
    const client = await clientFor(caller);
    await expect
      .poll(async () => (await client.files.list()).data.map(({ filename }) => filename))
      .toEqual(["pasted.txt"]);
    await page.getByRole("button", { name: "Remove pasted.txt" }).click();
    await expect
      .poll(async () => [
        (await client.files.list()).data.length,
        (await client.vectorStores.list()).data.length,
      ])
      .toEqual([0, 0]);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a reload in the middle of a chat's first answer loses no file", async () => {
    await setSpeed({ token_ms: 1000 });
    const { page } = await open();
    await signInToDemo(page);
    await choose(page, ["rules.md", rules]);
    await ready(page, "rules.md");
    await say(page, `${question} write 60 words`);
    await beingWritten(page);
    await page.reload();
    await page.getByText("1 file in this chat").waitFor();
    await leave(page);
  });

  test.each(["light", "dark"] as const)("on a phone nothing overflows, in %s", async (colorScheme) => {
    const { page, complaints } = await open({ colorScheme, viewport: { width: 390, height: 844 } });
    await signInToDemo(page);
    await choose(
      page,
      ["rules.md", rules],
      [`a-very-long-name-${"of-a-file-".repeat(12)}.txt`, "The reading room is open."],
      ["logs.gz", archive],
    );
    await ready(page, "rules.md");
    await ready(page, "a-very-long-name");
    await chip(page, "logs.gz")
      .getByText(/can't be read/)
      .waitFor();
    expect(await overflow(page)).toBe(0);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/files-phone-${colorScheme}.png` });
    await say(page, question);
    await done(page, 1);
    await page.getByText("2 files in this chat").click();
    expect(await overflow(page)).toBe(0);
    if (shots !== undefined)
      await page.screenshot({ path: `${shots}/files-phone-answer-${colorScheme}.png` });
    expect(complaints).toEqual([]);
    await leave(page);
  });
});
