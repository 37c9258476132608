/** Tools that the service runs itself, as the official client sees them: a tenant of its own, with a calculator, an API and a search service. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLocalVariables } from "../../dev/local-secrets.ts";
import { makeToken, signToken } from "../../dev/commands/local-token.ts";
import { unique, until, url } from "./product.ts";

const tenant = unique("tools").slice(0, 40);
const issuer = `https://${tenant}.test`;
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://here");
    const query = searchParams.get("q");
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify(
        query === null
          ? { asked: decodeURIComponent(pathname) }
          : { results: [{ url: "https://found.example/", title: "Found", description: `About ${query}` }] },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const admin = await makeToken(["--platform", "--scope", "platform:admin"]);
  const put = await fetch(`${url}/admin/tenants/${tenant}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify({
      id: tenant,
      issuers: [
        {
          issuer,
          audience: "edgewise",
          algorithms: ["HS256"],
          keys: { type: "secret", name: "DEMO_JWT_SECRET" },
          grants: { tiers: ["pro"], default_tier: "pro" },
        },
      ],
      tools: {
        calculator: true,
        http: [
          {
            name: "get_order",
            description: "Looks an order up",
            base_url: here,
            path: "/orders/{id}",
            parameters: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
          },
        ],
        web_search: { url: `${here}/search?q={query}` },
      },
    }),
  });
  expect(put.status).toBe(200);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function client(): OpenAI {
  const secret = readLocalVariables().get("DEMO_JWT_SECRET") ?? "";
  const claims = { iss: issuer, aud: "edgewise", sub: unique(), org: unique("o"), tier: "pro" };
  const apiKey = signToken(claims, secret, Date.now(), 600);
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

test("the calculator answers within the response, which can be had again as it was", async () => {
  const openai = client();
  const response = await openai.responses.create({ model: "llama-3.1-8b", input: "What is 12 * 7?" });
  const [call, message] = response.output;
  expect(call).toMatchObject({ type: "mcp_call", name: "calculator", output: "84", status: "completed" });
  expect(message?.type).toBe("message");
  expect(response.output_text).toContain("84");
  expect(await openai.responses.retrieve(response.id)).toEqual(response);
});

test("the stream helper puts calls and text together as they come", async () => {
  const stream = client().responses.stream({
    model: "llama-3.1-8b",
    input: 'Use get_order {"id": "../7"}',
  });
  const seen: string[] = [];
  for await (const event of stream) seen.push(event.type);
  const response = await stream.finalResponse();
  expect(seen).toContain("response.mcp_call.completed");
  expect(response.output[0]).toMatchObject({
    type: "mcp_call",
    name: "get_order",
    output: '{"asked":"/orders/../7"}',
  });
  expect(response.output_text).toContain("/orders/../7");
});

test("a search is the client's own to ask for", async () => {
  const response = await client().responses.create({
    model: "llama-3.1-8b",
    input: "Search the web for the latest news of edges.",
    tools: [{ type: "web_search" }],
  });
  expect(response.output[0]).toMatchObject({ type: "web_search_call", status: "completed" });
  expect(response.output_text).toContain("found.example");
});

test("files and the web are searched in one response, and what either found has a number of its own", async () => {
  const openai = client();
  const file = await openai.files.create({
    file: new File(["Edges are where clouds end."], "edges.md"),
    purpose: "assistants",
  });
  const store = await openai.vectorStores.create({ file_ids: [file.id] });
  await until(async () => (await openai.vectorStores.retrieve(store.id)).status === "completed");
  const stream = openai.responses.stream({
    model: "llama-3.1-8b",
    input: "Search the web for the latest news of edges.",
    tools: [{ type: "file_search", vector_store_ids: [store.id] }, { type: "web_search" }],
  });
  const response = await stream.finalResponse();
  expect(response.output.map(({ type }) => type)).toEqual(["file_search_call", "web_search_call", "message"]);
  const message = response.output.at(-1);
  const part = message?.type === "message" ? message.content[0] : undefined;
  if (part?.type !== "output_text") throw new Error("no text");
  const [cited] = part.annotations;
  if (cited?.type !== "url_citation") throw new Error("nothing of the web is cited");
  expect(cited.url).toBe("https://found.example/");
  expect(part.text.slice(cited.start_index, cited.end_index)).toBe("[2]");
  const { text, annotations } = part;
  expect(await openai.responses.retrieve(response.id)).toMatchObject({
    output: [{}, {}, { content: [{ text, annotations }] }],
  });
});
