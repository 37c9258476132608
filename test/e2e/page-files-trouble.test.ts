/** Files on the chat page that are not read yet, can't be read, or are gone: what waits, and what is said. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { chatPage, done, shots, signInWith } from "./chat-page.ts";
import { archive, chip, choose, cites, question, ready, rules } from "./page-with-files.ts";
import { clientFor, setSpeed, tokenFor, unique } from "./product.ts";

const browser = await startBrowser();

/** Until it `isOver`, every file is said to be read still. */
async function keepReading(page: Page): Promise<{ isOver(): void }> {
  let goesOn = true;
  for (const path of ["**/v1/vector_stores/*/files*", "**/v1/vector_stores/*/files/*"])
    await page.route(path, async (route) => {
      const answer = await route.fetch();
      const file = (await answer.json()) as object;
      await route.fulfill({ response: answer, json: goesOn ? { ...file, status: "in_progress" } : file });
    });
  return { isOver: () => void (goesOn = false) };
}

describe.skipIf(browser === null)("files on the chat page", () => {
  const open = chatPage(browser);

  test("a question that is sent while its file is being read waits for it; Cancel takes it back", async () => {
    const { page } = await open();
    const reading = await keepReading(page);
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
    reading.isOver();
    await done(page, 1);
    await cites(page, "[1] rules.md");
    await leave(page);
  });

  test("a question that waits for its file while another device asks goes out behind that one's answer, and is not lost", async () => {
    const caller = { user: unique(), org: unique("o") };
    const { page } = await open();
    const reading = await keepReading(page);
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
    await setSpeed({ token_ms: 1000 });
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
    reading.isOver();
    await chip(page, "rules.md").getByText("Ready").waitFor();
    await setSpeed({ token_ms: 0 });
    await elsewhere;
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
    const reading = await keepReading(page);
    await signInToDemo(page);
    await choose(page, ["logs.gz", archive]);
    await chip(page, "logs.gz").getByText("Reading…").waitFor();
    await say(page, question);
    await page.getByText("Your message goes out as soon as").waitFor();
    reading.isOver();
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
      .getByText(/can't be read/)
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
    await cites(page, "[1] rules.md");
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("where the code that handles files can't be had it is said; the next file, or a chat that has some, fetches it", async () => {
    const { page } = await open();
    await signInToDemo(page);
    const unreachable = "**/web/shown-desk-*";
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
});
