/** Files on the chat page: attached, asked about, there again behind a reload, gone with their chat, and what is said where something is in the way. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { chatPage, done, shots, signInWith } from "./chat-page.ts";
import { clientFor, setSpeed, tokenFor, unique } from "./product.ts";

const browser = await startBrowser();
const rules = "Devices may be returned within thirty days of purchase.";
/** The first bytes of something compressed. */
const archive = Buffer.from("1f8b0800000000000003", "hex");
const question = "Within how many days of purchase may devices be returned?";

async function choose(page: Page, ...files: readonly (readonly [name: string, text: string | Buffer])[]) {
  await page.locator("input[type=file]").setInputFiles(
    files.map(([name, text]) => ({
      name,
      mimeType: name.endsWith(".png") ? "image/png" : "text/plain",
      buffer: Buffer.from(text),
    })),
  );
}

const chip = (page: Page, name: string) => page.locator(".chip").filter({ hasText: name });

async function ready(page: Page, name: string): Promise<void> {
  await chip(page, name).getByText("Ready").waitFor();
}

async function overflow(page: Page): Promise<unknown> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** A file that is dragged over the page, or dropped on it, or pasted: as a browser tells of it. */
async function bring(page: Page, how: "dragenter" | "drop" | "paste", name: string): Promise<void> {
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
    expect(await answers.last().locator(".sources summary").allTextContents()).toEqual(["[1] rules.md"]);
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
    expect(await answers.last().locator(".sources summary").allTextContents()).toEqual(["[1] rules.md"]);
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
    await bring(page, "dragenter", "maps.txt");
    await page.getByText("Drop files here").waitFor();
    await bring(page, "drop", "maps.txt");
    await page.getByText("Drop files here").waitFor({ state: "detached" });
    await ready(page, "maps.txt");
    await bring(page, "paste", "pasted.txt");
    await ready(page, "pasted.txt");
    await page.getByRole("button", { name: "Remove maps.txt" }).press("Enter");
    await chip(page, "maps.txt").waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.id")).toBe("attach");
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

  test("a question that is sent while its file is being read waits for it; Cancel takes it back", async () => {
    const { page } = await open();
    let reading = true;
    await page.route("**/v1/vector_stores/*/files*", async (route) => {
      const answer = await route.fetch();
      const file = (await answer.json()) as object;
      await route.fulfill({ response: answer, json: reading ? { ...file, status: "in_progress" } : file });
    });
    await page.route("**/v1/vector_stores/*/files/*", async (route) => {
      const answer = await route.fetch();
      const file = (await answer.json()) as object;
      await route.fulfill({ response: answer, json: reading ? { ...file, status: "in_progress" } : file });
    });
    await signInToDemo(page);
    await choose(page, ["rules.md", rules]);
    await chip(page, "rules.md").getByText("Reading…").waitFor();
    await say(page, question);
    const waits = page.getByText("Your message goes out as soon as");
    await waits.waitFor();
    expect(await page.locator("article").count()).toBe(0);
    await page.getByRole("button", { name: "Cancel" }).click();
    await waits.waitFor({ state: "detached" });
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe(question);
    await page.keyboard.press("Enter");
    await waits.waitFor();
    reading = false;
    await done(page, 1);
    expect(await page.locator(".sources summary").allTextContents()).toEqual(["[1] rules.md"]);
    await leave(page);
  });

  test("a question that waits for its file while another device asks goes out behind that one's answer, and is not lost", async () => {
    const caller = { user: unique(), org: unique("o") };
    const { page } = await open();
    let reading = true;
    await page.route("**/v1/vector_stores/*/files/*", async (route) => {
      const answer = await route.fetch();
      const file = (await answer.json()) as object;
      await route.fulfill({ response: answer, json: reading ? { ...file, status: "in_progress" } : file });
    });
    await signInWith(page, await tokenFor(caller));
    await say(page, "Hello");
    await done(page, 1);
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    const client = await clientFor(caller);
    const conversations = (await client.get("/conversations")) as { data: { id: string }[] };
    await choose(page, ["rules.md", rules]);
    await chip(page, "rules.md").getByText("Reading…").waitFor();
    await say(page, question);
    await page.getByText("Your message goes out as soon as").waitFor();
    await setSpeed({ token_ms: 40 });
    const elsewhere = client.post("/chat/completions", {
      body: {
        model: "auto",
        conversation_id: conversations.data[0]?.id,
        messages: [{ role: "user", content: "From elsewhere: write 60 words" }],
      },
    });
    const statuses = () =>
      page
        .locator("article.assistant")
        .evaluateAll((all) => all.map((one) => one.getAttribute("data-status")));
    await expect.poll(statuses).toEqual(["done", "streaming"]);
    reading = false;
    await chip(page, "rules.md").getByText("Ready").waitFor();
    await elsewhere;
    await setSpeed({ token_ms: 0 });
    await done(page, 3);
    expect(await page.locator("article .said").allTextContents()).toEqual([
      "Hello",
      "From elsewhere: write 60 words",
      question,
    ]);
    await leave(page);
  });

  test("a question whose file turns out to be none that can be read does not go out without it", async () => {
    const { page } = await open();
    let reading = true;
    await page.route("**/v1/vector_stores/*/files/*", async (route) => {
      const answer = await route.fetch();
      const file = (await answer.json()) as object;
      await route.fulfill({ response: answer, json: reading ? { ...file, status: "in_progress" } : file });
    });
    await signInToDemo(page);
    await choose(page, ["logs.gz", archive]);
    await chip(page, "logs.gz").getByText("Reading…").waitFor();
    await say(page, question);
    await page.getByText("Your message goes out as soon as").waitFor();
    reading = false;
    await page.getByRole("alert").getByText("Not sent: logs.gz can't be asked about.").waitFor();
    expect(await page.locator("article").count()).toBe(0);
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe(question);
    await page.keyboard.press("Enter");
    await done(page, 1);
    await leave(page);
  });

  test("what can't be read, is too large or finds no room says what to do; the question waits for a decision", async () => {
    const { page, complaints } = await open();
    await signInToDemo(page);
    await choose(page, ["logs.gz", archive], ["rules.md", rules]);
    await chip(page, "logs.gz")
      .getByText(/can't be searched/)
      .waitFor();
    await ready(page, "rules.md");
    await page.route("**/v1/files", (route) =>
      route.fulfill({
        status: 413,
        json: { error: { message: "The file is over the limit of 33554432 bytes. Send a smaller one." } },
      }),
    );
    await choose(page, ["book.txt", "A long book."]);
    await chip(page, "book.txt").getByText("Too large: a file may have 32 MB.").waitFor();
    await page.unroute("**/v1/files");
    await page.route("**/v1/files", (route) => route.abort());
    await choose(page, ["later.txt", "Later."]);
    await chip(page, "later.txt").getByText("The connection broke off.").waitFor();
    if (shots !== undefined) await page.screenshot({ path: `${shots}/files-errors.png` });
    await page.unroute("**/v1/files");
    await page.getByRole("button", { name: "Try later.txt again" }).click();
    await ready(page, "later.txt");
    await page.getByRole("button", { name: "Remove logs.gz" }).click();
    await page.getByRole("button", { name: "Remove book.txt" }).click();
    await say(page, question);
    await done(page, 1);
    expect(await page.locator(".sources summary").allTextContents()).toEqual(["[1] rules.md"]);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("where the code that handles files can't be had it is said; the next file, or a chat that has some, fetches it", async () => {
    const { page } = await open();
    await signInToDemo(page);
    const unreachable = "**/web/desk-*";
    await page.route(unreachable, (route) => route.abort());
    await choose(page, ["rules.md", rules]);
    const note = page.getByRole("alert").getByText("The part of this page that handles files");
    await note.waitFor();
    await page.unroute(unreachable);
    await choose(page, ["rules.md", rules]);
    await ready(page, "rules.md");
    expect(await note.count()).toBe(0);
    await say(page, question);
    await done(page, 1);
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await page.route(unreachable, (route) => route.abort());
    await page.reload();
    await note.waitFor();
    await page.unroute(unreachable);
    await page.getByText("1 file in this chat").waitFor();
    expect(await note.count()).toBe(0);
    await leave(page);
  });

  test("where files are refused the button says why, and chats go on", async () => {
    const { page } = await open();
    await page.route("**/v1/vector_stores", (route) =>
      route.fulfill({ status: 403, json: { error: { message: "blocked", code: "request_blocked" } } }),
    );
    await signInToDemo(page);
    await choose(page, ["rules.md", rules]);
    await chip(page, "rules.md").getByText("Ask your administrator.").waitFor();
    const button = page.getByRole("button", { name: /^Attach files: .*administrator/ });
    expect(await button.getAttribute("aria-disabled")).toBe("true");
    await say(page, "Hello");
    await done(page, 1);
    await leave(page);
  });

  test("files that have gone since are said to be gone, and the question can be asked without them", async () => {
    const caller = { user: unique(), org: unique("o") };
    const { page } = await open();
    await signInWith(page, await tokenFor(caller));
    await choose(page, ["rules.md", rules]);
    await ready(page, "rules.md");
    await say(page, question);
    await done(page, 1);
    const client = await clientFor(caller);
    for await (const store of client.vectorStores.list()) await client.vectorStores.delete(store.id);
    await say(page, "And now?");
    await page.getByRole("alert").getByText("The files of this chat are gone", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await done(page, 2);
    await leave(page);
  });

  test("a reload in the middle of a chat's first answer loses no file", async () => {
    await setSpeed({ token_ms: 40 });
    const { page } = await open();
    await signInToDemo(page);
    await choose(page, ["rules.md", rules]);
    await ready(page, "rules.md");
    await say(page, `${question} write 60 words`);
    await expect.poll(() => page.locator("article.assistant").getAttribute("data-status")).toBe("streaming");
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
      .getByText(/can't be searched/)
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
