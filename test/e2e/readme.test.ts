/** The README as a newcomer uses it: what it has to paste, in its order, against the running product. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { dataOf, tokenFor, url } from "./product.ts";

const blocks = [...(await readFile(`${root}README.md`, "utf8")).matchAll(/```(sh|js)\n([^]*?)```/g)].map(
  ([, language, text = ""]) => ({ language, text: text.replaceAll("http://127.0.0.1:8787", url) }),
);

test("its commands of a shell: a token, a stream, and the second of two equal requests from the cache", async () => {
  // The others start the product, another one, and its tests.
  const asking = blocks.filter(({ language, text }) => language === "sh" && text.includes(url));
  expect(asking).toHaveLength(2);
  const paste = async () => {
    const { stdout } = await promisify(execFile)("bash", ["-ec", asking.map(({ text }) => text).join("\n")], {
      cwd: root,
      env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` },
    });
    expect(dataOf(stdout)).toContain("[DONE]");
    const cache = stdout.split("\n").filter((line) => line.toLowerCase().startsWith("cache-status:"));
    expect(cache).toHaveLength(2);
    return cache[1];
  };
  // On a busy machine the answer may not be kept yet, or not be found within 20 ms: pasted again, it is.
  await expect.poll(paste).toContain("edgewise; hit; ttl=");
});

test("its JavaScript: the official client, a vector store, an answer that cites it, and a batch", async () => {
  const folder = await mkdtemp(join(tmpdir(), "edgewise-readme-"));
  try {
    await writeFile(join(folder, "handbook.md"), "# Hours\n\nThe office is closed on Sundays.\n");
    const body = { model: "auto", messages: [{ role: "user", content: "Hi" }] };
    const line = { custom_id: "one", method: "POST", url: "/v1/chat/completions", body };
    await writeFile(join(folder, "requests.jsonl"), JSON.stringify(line));
    const script = blocks.filter(({ language }) => language === "js").map(({ text }) => text);
    expect(script.length).toBeGreaterThanOrEqual(3);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `${script.join("\n").replace('"openai"', JSON.stringify(import.meta.resolve("openai")))}
        console.log(JSON.stringify({ found: found.data, output: answer.output, batch }));`,
      ],
      { cwd: folder, env: { ...process.env, TOKEN: await tokenFor() } },
    );
    const { found, output, batch } = JSON.parse(stdout) as {
      found: unknown[];
      output: unknown[];
      batch: object;
    };
    expect(JSON.stringify(found)).toContain("closed on Sundays");
    expect(JSON.stringify(output)).toContain('"filename":"handbook.md"');
    expect(batch).toMatchObject({ object: "batch", status: "validating" });
  } finally {
    await rm(folder, { recursive: true });
  }
});
