/** Whatever a model, a file, a page of the web or another user's word writes: it is text. Payloads of OWASP's cheat sheet on XSS filters. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { leave, say, startBrowser } from "./browser.ts";
import { chatPage, done, signInWith } from "./chat-page.ts";
import { clientFor, listed, tokenFor, unique } from "./product.ts";

const browser = await startBrowser();

const payloads = [
  "<script>alert(1)</script>",
  "<SCRIPT SRC=/hostile.js></SCRIPT>",
  "<IMG SRC=x ONERROR=alert(1)>",
  "<IMG SRC=\"jav&#x09;ascript:alert('XSS');\">",
  '<IMG """><SCRIPT>alert(1)</SCRIPT>"\\>',
  "<svg/onload=alert(1)>",
  "<svg><script>alert&#40;1)</script>",
  '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
  "<iframe srcdoc='<script>parent.alert(1)</script>'>",
  "<details open ontoggle=alert(1)>",
  "<input autofocus onfocus=alert(1)>",
  "<body onload=alert(1)>",
  '<a href="javascript:alert(1)">here</a>',
  "<form><button formaction=javascript:alert(1)>here",
  '<META HTTP-EQUIV="refresh" CONTENT="0;url=javascript:alert(1);">',
  '<LINK REL="stylesheet" HREF="/hostile.css">',
  "<STYLE>@import'/hostile.css';</STYLE>",
  '<DIV STYLE="background-image: url(javascript:alert(1))">',
  '<OBJECT TYPE="text/x-scriptlet" DATA="/hostile.html"></OBJECT>',
  '<base href="//elsewhere.example/">',
  "[here](javascript:alert(1))",
  "[here](JaVaScRiPt:alert(1))",
  "[here](java\tscript:alert(1))",
  "[here](&#106;avascript:alert(1))",
  "[here](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  '![here](/hostile.png "onerror=alert(1)")',
  "[here]: javascript:alert(1)\n\n[here]",
  "<javascript:alert(1)>",
  "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{/hostile.png}$ $\\htmlStyle{color:red}{x}$",
  '```html"><script>alert(1)</script>\n<script>alert(1)</script>\n```',
  "| <img src=x onerror=alert(1)> |\n| - |\n| [a](vbscript:alert(1)) |",
  '"><img src=x onerror=alert(1)>',
  "'-alert(1)-'",
  "{{constructor.constructor('alert(1)')()}}",
  "\u202E)1(trela:tpircsavaj",
];

/** In place of what the server tells of the chat: each payload is an answer, what it cites, and a name of a file that came along. */
async function tellHostile(page: Page): Promise<void> {
  await page.route("**/v1/conversations/*/items*", (route) =>
    route.fulfill({
      json: {
        has_more: false,
        data: payloads
          .flatMap((text, at) => [
            {
              id: `question-${at}`,
              role: "user",
              content: [
                { type: "input_text", text },
                { type: "input_file", filename: text },
                {
                  type: "input_image",
                  image_url: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
                },
              ],
            },
            {
              id: `answer-${at}`,
              role: "assistant",
              content: [
                {
                  type: "output_text",
                  text: `[1] [2] ${text}`,
                  annotations: [
                    { type: "file_citation", index: 0, filename: text, file_id: "f" },
                    {
                      type: "url_citation",
                      start_index: 4,
                      end_index: 7,
                      title: text,
                      url: "javascript:alert(1)",
                    },
                  ],
                },
              ],
            },
          ])
          .toReversed(),
      },
    }),
  );
}

describe.skipIf(browser === null)("the chat page", () => {
  const open = chatPage(browser);

  test("no payload runs, loads or styles anything, as an answer, a message, a title, a file's name or a source; the policy has nothing to refuse", async () => {
    const caller = { user: unique(), org: unique("o") };
    const client = await clientFor(caller);
    for (const title of payloads.slice(0, 20)) {
      const { id } = await client.conversations.create();
      await client.post(`/conversations/${id}`, { body: { title } });
    }
    await listed(client, 20);
    const { page, complaints, bytes } = await open();
    await page.addInitScript(`
      hits = [];
      alert = () => hits.push("ran");
      addEventListener("securitypolicyviolation", ({ blockedURI, violatedDirective }) => hits.push(violatedDirective + " " + blockedURI));
    `);
    await page.reload();
    await signInWith(page, await tokenFor(caller));
    await say(page, payloads.join("\n"));
    await done(page, 1);
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await tellHostile(page);
    await page.reload();
    await expect.poll(() => page.locator("article.assistant").count()).toBe(payloads.length);
    await page.locator("article.assistant .sources").last().waitFor();
    await page.locator("nav .entry").nth(19).waitFor();
    // Whatever is loaded late by what was said is there: code's colours, formulas.
    await page.locator("article.assistant figure.code").first().waitFor();
    await expect.poll(() => [...bytes.keys()].some((path) => path.includes("set-formula-"))).toBe(true);
    const links = await page
      .locator("article a, nav a")
      .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    for (const link of links) expect(link).toMatch(/^(?:https?:|mailto:)/i);
    const made =
      "article :is(script, style, iframe, object, embed, form, link, meta, base, input:not([type=checkbox]))";
    expect(await page.locator(made).count()).toBe(0);
    expect(
      await page
        .locator("article img")
        .evaluateAll((all) => all.every((img) => img.matches(".pictures > img"))),
    ).toBe(true);
    expect(await page.evaluate("hits")).toEqual([]);
    expect([...bytes.keys()].filter((path) => path.includes("hostile"))).toEqual([]);
    expect(complaints).toEqual([]);
    await leave(page);
  });
});
