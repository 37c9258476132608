import { afterEach, expect, test, vi } from "vitest";
import { chatAsMarkdown, fileNameOf, loadChat } from "./chat-as-markdown.ts";

afterEach(() => vi.unstubAllGlobals());

test("a chat as Markdown: who said what, what came with it, what it cites, and that an answer ended early", () => {
  const text = chatAsMarkdown("A\nname", [
    { id: "1", role: "user", text: "# not a heading of mine", files: ["a\u202Eb.pdf"] },
    { id: "2", role: null, text: "a tool's result" },
    {
      id: "3",
      role: "assistant",
      text: "Blue [1].",
      incomplete: true,
      sources: [
        { index: 1, filename: "sky.pdf", page: 2, text: "" },
        { index: 2, filename: "Sky", url: "https://example.com/sky", text: "" },
      ],
    },
  ]);
  expect(text).toBe(
    [
      "# A name",
      "## You",
      "*With it came ab.pdf*",
      "# not a heading of mine",
      "## Assistant",
      "Blue [1].",
      "*The answer ended early*",
      "Sources:\n\n- [1] sky.pdf, p. 2\n- [2] Sky <https://example.com/sky>\n",
    ].join("\n\n"),
  );
});

test("all pages of a chat are read, in their order", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    const after = new URL(path, "http://page").searchParams.get("after");
    const ids = after === null ? ["4", "3"] : after === "3" ? ["2", "1"] : ["0"];
    return Response.json({
      data: ids.map((id) => ({ id, role: "user", content: [{ text: id }] })),
      has_more: after !== "1",
    });
  });
  expect((await loadChat("token", "c")).map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4"]);
  expect(asked.length).toBe(3);
});

test.each([
  ["Why is the sky blue?", "Why is the sky blue.md"],
  ["../../etc/passwd", "etc passwd.md"],
  ["a\u202Egnp.exe", "agnp.exe.md"],
  ["...", "Chat.md"],
  ["CON: a/b", "CON a b.md"],
  ["x".repeat(300), `${"x".repeat(80)}.md`],
])("the name of the file for %j", (title, name) => {
  expect(fileNameOf(title)).toBe(name);
});
