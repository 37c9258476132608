/** Files inside requests by the official client, against the running product: what real programs wrote, its bytes and by its id. */
import { readFile } from "node:fs/promises";
import { toFile } from "openai";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { clientFor } from "./product.ts";

const name = "lending.pdf";
const question = "What is the fine for a lost atlas?";
const bytes = await readFile(`${root}test/data/documents/${name}`);
const file = { filename: name, file_data: `data:application/pdf;base64,${bytes.toString("base64")}` };
const answer = /forty crowns.*\[lending\.pdf, page 2\]/;

test("a chat is answered from the PDF that came with it, by its bytes and by its id, streamed and whole", async () => {
  const client = await clientFor();
  const { id } = await client.files.create({ file: await toFile(bytes, name), purpose: "user_data" });
  for (const sent of [file, { file_id: id }]) {
    const messages = [
      {
        role: "user" as const,
        content: [
          { type: "text" as const, text: question },
          { type: "file" as const, file: sent },
        ],
      },
    ];
    const whole = await client.chat.completions.create({ model: "auto", messages });
    expect(whole.choices[0]?.message.content).toMatch(answer);
    let said = "";
    for await (const { choices } of await client.chat.completions.create({
      model: "auto",
      messages,
      stream: true,
    }))
      said += choices[0]?.delta.content ?? "";
    expect(said).toMatch(answer);
  }
});

test("a response is answered from it, gives back what was sent, and the next one still knows it", async () => {
  const client = await clientFor();
  const first = await client.responses.create({
    model: "auto",
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "Here are our rules." },
          { type: "input_file", ...file },
        ],
      },
    ],
  });
  const [item] = (await client.responses.inputItems.list(first.id)).data;
  expect(item).toMatchObject({ content: [{ type: "input_text" }, { type: "input_file", ...file }] });
  const second = await client.responses.create({
    model: "auto",
    input: question,
    previous_response_id: first.id,
  });
  expect(second.output_text).toMatch(answer);
});

test("what can't be read is an error of the client's, with the part and the reason, and is not tried again", async () => {
  const client = await clientFor();
  const content = [{ type: "file" as const, file: { ...file, file_data: file.file_data.slice(0, 200) } }];
  const refused = client.chat.completions.create({ model: "auto", messages: [{ role: "user", content }] });
  await expect(refused).rejects.toMatchObject({
    status: 400,
    param: "messages[0].content[0].file.file_data",
    message: expect.stringContaining("damaged") as unknown,
  });
});
