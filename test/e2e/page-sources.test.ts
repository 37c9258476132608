/** An answer from files on the chat page: its marks name their files, which stand under it, and stay there when it is saved. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { leave, say, startBrowser } from "./browser.ts";
import { chatPage, done, shots, signInWith } from "./chat-page.ts";
import { cites } from "./page-with-files.ts";
import { clientFor, tokenFor, unique, until } from "./product.ts";

const browser = await startBrowser();
const rules = "Devices may be returned within thirty days of purchase.";

describe.skipIf(browser === null)("sources", () => {
  const open = chatPage(browser);

  test("a mark names its file, and the list under the answer shows what it says there", async () => {
    const caller = { user: unique(), org: unique("o") };
    const client = await clientFor(caller);
    const file = await client.files.create({ file: new File([rules], "rules.md"), purpose: "assistants" });
    const store = await client.vectorStores.create({ file_ids: [file.id] });
    await until(async () => (await client.vectorStores.retrieve(store.id)).status === "completed");
    const { page, complaints } = await open();
    // As a tenant's default stores would do it, for this page alone.
    await page.route("**/v1/chat/completions", async (route) => {
      const body = route.request().postDataJSON() as object;
      const postData = JSON.stringify({ ...body, retrieval: { vector_store_ids: [store.id] } });
      await route.continue({ postData });
    });
    await signInWith(page, await tokenFor(caller));
    await say(page, "Within how many days of purchase may devices be returned?");
    await done(page, 1);
    const answer = page.locator("article.assistant").first();
    const mark = answer.locator("abbr.cite");
    expect(await mark.textContent()).toBe("[1]");
    expect(await mark.getAttribute("title")).toBe("rules.md");
    const sources = answer.locator(".sources summary");
    await cites(page, "[1] rules.md");
    await sources.click();
    expect(await answer.locator(".sources q").textContent()).toBe(rules);
    // Behind the next turn it is what the server keeps, with what the page has seen of the file.
    await say(page, "Thank you for that, which I did not know.");
    await done(page, 2);
    await answer
      .getByRole("button", { name: "Regenerate" })
      .or(page.getByRole("button", { name: "Edit" }))
      .first()
      .waitFor();
    expect(await sources.allTextContents()).toEqual(["[1] rules.md"]);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/sources.png` });
    // Behind a reload the page knows what the conversation keeps: which file, and not what it says.
    await page.reload();
    await done(page, 2);
    await expect.poll(() => mark.getAttribute("title")).toBe("rules.md");
    await expect.poll(() => answer.locator(".sources .source").allTextContents()).toEqual(["[1] rules.md"]);
    expect(await answer.locator(".sources q").count()).toBe(0);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/sources-kept.png` });
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("of a document the page is named, live, once the turn is saved, and behind a reload", async () => {
    const { page, complaints } = await open();
    await signInWith(page, await tokenFor({ user: unique(), org: unique("o") }));
    await page.locator("input[type=file]").setInputFiles({
      name: "lending.pdf",
      mimeType: "application/pdf",
      buffer: await readFile(`${root}test/data/documents/lending.pdf`),
    });
    await page.locator(".chip").getByText("Ready").waitFor();
    await say(page, "What does a lost atlas cost?");
    await done(page, 1);
    const sources = page.locator("article.assistant .sources");
    await cites(page, "[1] lending.pdf, p. 2");
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    expect(await sources.locator("summary").allTextContents()).toEqual(["[1] lending.pdf, p. 2"]);
    await sources.locator("summary").click();
    expect(await sources.locator("q").textContent()).toContain("A lost atlas costs forty crowns");
    await page.reload();
    await done(page, 1);
    await expect.poll(() => sources.locator(".source").allTextContents()).toEqual(["[1] lending.pdf, p. 2"]);
    expect(await page.locator("abbr.cite").first().getAttribute("title")).toBe("lending.pdf, p. 2");
    expect(complaints).toEqual([]);
    await leave(page);
  });
});
