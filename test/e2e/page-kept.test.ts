/** What a browser keeps of the chat page: over a reload what was typed and attached, and behind who signs out nothing. */
import { describe, expect, test } from "vitest";
import { leave, say, signInToDemo, startBrowser } from "./browser.ts";
import { chatPage, done, signInWith, signOut } from "./chat-page.ts";
import { clientFor, tokenFor, unique } from "./product.ts";

const browser = await startBrowser();

describe.skipIf(browser === null)("what is kept of the chat page", () => {
  const open = chatPage(browser);

  test("what was typed is there behind a reload, in a new chat and in another; once it is sent it is not", async () => {
    const { page, complaints } = await open();
    const field = page.getByLabel("Message", { exact: true });
    await signInToDemo(page);
    await field.fill("half a thought");
    await page.reload();
    await expect.poll(() => field.inputValue()).toBe("half a thought");
    await say(page, "half a thought");
    await done(page, 1);
    await field.fill("and the other half");
    const chats = page.getByRole("navigation", { name: "Chats" });
    await chats.getByRole("button", { name: "New chat" }).click();
    await page.getByText("What would you like to know?").waitFor();
    expect(await field.inputValue()).toBe("");
    await page.reload();
    await page.getByText("What would you like to know?").waitFor();
    expect(await field.inputValue()).toBe("");
    await chats.getByRole("button", { name: "half a thought", exact: true }).click();
    await expect.poll(() => field.inputValue()).toBe("and the other half");
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("a file that nothing was asked with yet can be taken back behind a reload", async () => {
    const caller = { user: unique(), org: unique("o") };
    const { page, complaints } = await open();
    await signInWith(page, await tokenFor(caller));
    await say(page, "A chat that is begun");
    await done(page, 1);
    await page
      .locator("input[type=file]")
      .setInputFiles({ name: "wrong.md", mimeType: "text/plain", buffer: Buffer.from("The wrong one.") });
    const chip = page.locator(".chip").filter({ hasText: "wrong.md" });
    await chip.getByText("Ready").waitFor();
    await page.reload();
    await chip.getByText("Ready").waitFor();
    await page.getByRole("button", { name: "Remove wrong.md" }).click();
    await chip.waitFor({ state: "detached" });
    const client = await clientFor(caller);
    await expect.poll(async () => (await client.files.list()).data.length).toBe(0);
    expect(complaints).toEqual([]);
    await leave(page);
  });

  test("whose credential ends signs in again from where he is, and finds what he typed and attached", async () => {
    const token = await tokenFor({ user: unique(), org: unique("o") });
    const { page } = await open();
    await signInWith(page, token);
    await say(page, "A chat that is begun");
    await done(page, 1);
    await page
      .locator("input[type=file]")
      .setInputFiles({ name: "rules.md", mimeType: "text/plain", buffer: Buffer.from("A rule.") });
    const chip = page.locator(".chip").filter({ hasText: "rules.md" });
    await chip.getByText("Ready").waitFor();
    const ended = { status: 401, json: { error: { message: "expired", code: "invalid_token" } } };
    await page.route("**/v1/chat/completions", (route) => route.fulfill(ended));
    await say(page, "What does it say?");
    await page.getByRole("button", { name: "Sign in again" }).click();
    await page.unroute("**/v1/chat/completions");
    await page.getByText("Your sign-in has ended").waitFor();
    await signInWith(page, token);
    await page.locator("article.user").getByText("A chat that is begun").waitFor();
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("What does it say?");
    await page.getByRole("button", { name: "Remove rules.md" }).waitFor();
    await leave(page);
  });

  test("who signs out leaves neither chat nor draft to who signs in next, and finds them again himself", async () => {
    const [alice, bob] = [await tokenFor({ user: unique() }), await tokenFor({ user: unique() })];
    const { page } = await open();
    const field = page.getByLabel("Message", { exact: true });
    await signInWith(page, alice);
    await say(page, "A secret of mine");
    await done(page, 1);
    await field.fill("half a secret");
    await expect.poll(() => page.title()).toContain("A secret of mine");
    await signOut(page);
    await expect.poll(() => page.title()).toBe("Edgewise");
    await signInWith(page, alice);
    await page.locator("article.user").getByText("A secret of mine").waitFor();
    expect(await field.inputValue()).toBe("half a secret");
    await signOut(page);
    await page.reload();
    await signInWith(page, bob);
    await page.getByText("What would you like to know?").waitFor();
    expect(await field.inputValue()).toBe("");
    const kept = await page.evaluate<string>("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])");
    expect(kept).not.toContain("secret");
    await leave(page);
  });
});
