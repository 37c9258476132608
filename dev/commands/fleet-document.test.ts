import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import document from "../../config/fleet.dev.json" with { type: "json" };
import { FleetDocumentError, platformIds, resolveFleetDocument } from "./fleet-document.ts";

const open: { close(): void; closeAllConnections(): void }[] = [];
const folder = mkdtempSync(join(tmpdir(), "edgewise-fleet-"));

afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
  vi.useRealTimers();
});

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function serverThat(answers: Answer): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => answers(request, response, body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server of these models; those in `chats` can chat. */
function serving(models: unknown, chats: readonly string[] = []): Answer {
  return (request, response, body) => {
    if (request.url === "/v1/models") response.end(JSON.stringify(models));
    else if (request.url === "/v1/chat/completions" && chats.some((id) => body.includes(JSON.stringify(id))))
      response.end(
        'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}],"usage":null}\n\ndata: [DONE]\n\n',
      );
    else response.writeHead(404).end('{"error":{"message":"no such thing"}}');
  };
}

function listOf(...ids: readonly string[]): object {
  return { object: "list", data: ids.map((id) => ({ id, object: "model" })) };
}

async function fleetOf(url: string) {
  const resolved = await resolveFleetDocument({ ORIGIN_URL: url });
  if (resolved.source === "dev-fleet") throw new Error("there is a server");
  const [cluster] = resolved.fleet.clusters;
  const models = cluster?.models.map(({ id, served_name }) => [id, served_name]);
  return { models, auto: resolved.fleet.aliases["auto"], description: resolved.description, cluster };
}

describe("ORIGIN_URL", () => {
  test.each([true, false])("finds out whether a server gives several choices: %s", async (gives) => {
    const chunk = (index: number) => `data: {"choices":[{"index":${index},"delta":{"content":"Hi"}}]}\n\n`;
    const url = await serverThat((request, response, body) => {
      if (request.url !== "/v1/chat/completions") serving(listOf("tiny"))(request, response, body);
      // Most servers that support only one choice ignore the field.
      else response.end(`${chunk(0)}${gives && body.includes('"n":2') ? chunk(1) : ""}data: [DONE]\n\n`);
    });
    const { cluster } = await fleetOf(url);
    expect(cluster?.models[0]?.engine_features.choices).toBe(gives);
  });

  test("names models that the server calls by their files' paths", async () => {
    const path = "/home/me/My models/llama 3.gguf";
    const url = await serverThat(
      serving(listOf(path, "C:\\models\\llama 3.gguf", "meta-llama/Llama"), [path]),
    );
    expect(await fleetOf(url)).toMatchObject({
      models: [
        ["llama-3.gguf", path],
        ["llama-3.gguf-2", "C:\\models\\llama 3.gguf"],
        ["meta-llama/Llama", "meta-llama/Llama"],
      ],
      auto: { models: ["llama-3.gguf"] },
    });
  });

  test("takes for auto the first model that chats, not one for embeddings before it", async () => {
    const url = await serverThat(serving(listOf("embed", "small", "large"), ["small", "large"]));
    expect(await fleetOf(url)).toMatchObject({
      models: [
        ["small", "small"],
        ["embed", "embed"],
        ["large", "large"],
      ],
      auto: { models: ["small"] },
    });
    expect(await fleetOf(await serverThat(serving(listOf("embed"))))).toMatchObject({
      auto: { models: ["embed"] },
    });
  });

  test("leaves out what a cluster can't hold, and says so", async () => {
    const ids = Array.from({ length: 70 }, (_, at) => `m${at}`);
    const url = await serverThat(serving(listOf(...ids, "m0"), ["m0"]));
    const { models, description } = await fleetOf(url);
    expect(models).toHaveLength(64);
    expect(description).toContain("m63, and 6 more that are left out (auto is m0)");
  });

  test("takes a window that the server tells, and none that is no length", async () => {
    const data = [
      { id: "a", max_model_len: 4096.5 },
      { id: "b", meta: { n_ctx: 1e12 } },
      { id: "c", meta: null, max_model_len: 0 },
    ];
    const { cluster } = await fleetOf(await serverThat(serving({ data })));
    expect(cluster?.models.map((model) => model.context_window)).toEqual([4096, 10_000_000, 8192]);
  });

  test.each([
    ["a page", ((_, response) => response.end("<h1>It works</h1>")) satisfies Answer, "no list of models"],
    ["JSON of another kind", serving({ models: [] }), "no list of models"],
    ["null", serving(null), "no list of models"],
    ["no model", serving({ data: [] }), "lists no model at /v1/models"],
    ["Ollama's no model", serving({ data: null }), "lists no model at /v1/models"],
    ["models without a name", serving({ data: [null, {}, { id: 5 }, { id: "" }] }), "lists no model"],
    [
      "a redirect",
      ((_, response) =>
        response.writeHead(301, { location: "https://elsewhere.test/" }).end()) satisfies Answer,
      "leads to https://elsewhere.test/",
    ],
    ["401", ((_, response) => response.writeHead(401).end()) satisfies Answer, "it wants a key"],
    ["500", ((_, response) => response.writeHead(500).end()) satisfies Answer, "answered 500"],
    ["a reset", ((request) => request.socket.destroy()) satisfies Answer, "no answer from"],
  ])("that answers with %s is a sentence", async (_what, answers: Answer, says) => {
    const url = await serverThat(answers);
    const failed = resolveFleetDocument({ ORIGIN_URL: url });
    await expect(failed).rejects.toBeInstanceOf(FleetDocumentError);
    await expect(failed).rejects.toThrow(says);
  });

  test("tells why nobody answers", async () => {
    const url = await serverThat(() => undefined);
    for (const server of open.splice(0)) server.close();
    await expect(resolveFleetDocument({ ORIGIN_URL: url })).rejects.toThrow("ECONNREFUSED");
  });

  test.each(["localhost:8000", "ftp://h", "http://", "http://h/?a=1", "http://h/#a", "/v1"])(
    "%s is no server's URL",
    async (url) => {
      await expect(resolveFleetDocument({ ORIGIN_URL: url })).rejects.toThrow("is not an http(s) URL");
    },
  );

  test.each(["nothing", "only the head of an answer"])(
    "starts all the same where a server lists its models and then sends %s, and says so",
    async (sent) => {
      const asked: string[] = [];
      const url = await serverThat((request, response, body) => {
        if (request.url === "/v1/models") serving(listOf("slow", "other"))(request, response, body);
        else if (request.url !== "/v1/chat/completions") response.writeHead(404).end();
        else {
          asked.push(body);
          if (sent !== "nothing")
            response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        }
      });
      const told: string[] = [];
      const look = { mostMs: 300, quietMs: 0, tell: (line: string) => void told.push(line) };
      const resolved = await resolveFleetDocument({ ORIGIN_URL: url }, look);
      if (resolved.source !== "origin-url") throw new Error("there is a server");
      expect(resolved.description).toContain("did not answer a first chat within 0.3 s");
      expect(resolved.fleet.aliases["auto"]).toEqual({ models: ["slow"] });
      expect(told).toEqual([
        `Waiting for the first answer of ${url}, 0.3 s at most: it may be loading a model.`,
      ]);
      expect(asked).toHaveLength(1);
      expect(resolved.fleet.clusters[0]?.models[0]?.engine_features.stream_usage).toBe(false);
    },
  );

  test("is silent where the server answers soon, or can't be asked at all, also afterwards", async () => {
    const told: string[] = [];
    const look = { mostMs: 60_000, quietMs: 50, tell: (line: string) => void told.push(line) };
    const url = await serverThat(serving(listOf("quick"), ["quick"]));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await resolveFleetDocument({ ORIGIN_URL: url }, look);
    await expect(resolveFleetDocument({ ORIGIN_URL: "http://127.0.0.1:9" }, look)).rejects.toThrow(
      "no answer",
    );
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([]);
  });

  test("does not show a password that it holds", async () => {
    const failed = resolveFleetDocument({ ORIGIN_URL: "https://me:hunter2@h/v1" });
    await expect(failed).rejects.toThrow("holds a user's name or password");
    await expect(failed).rejects.not.toThrow("hunter2");
  });
});

test("every served name has one id of its own, and keeps its name where it may", () => {
  const long = `/${"x".repeat(300)}`;
  const ids = platformIds(["a b", "a-b", "///", "é", "._x", long, "@cf/meta/llama"]);
  expect([...ids.values()]).toEqual(["a-b", "a-b-2", "model", "model-2", "x", "x".repeat(120), "llama"]);
});

describe("FLEET", () => {
  async function written(text: string) {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "fleet.json");
    writeFileSync(file, text);
    return resolveFleetDocument({ FLEET: file });
  }

  const { version: _, ...unversioned } = document;

  test("takes a file without a version, as fleet:config does, and another version for every edit", async () => {
    const first = await written(JSON.stringify(unversioned));
    const same = await written(`\uFEFF${JSON.stringify(document)}`);
    const edited = await written(JSON.stringify({ ...document, aliases: {} }));
    const versions = [first, same, edited].map((one) => (one.source === "file" ? one.fleet.version : ""));
    expect(versions[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(versions[1]).toBe(versions[0]);
    expect(versions[2]).not.toBe(versions[0]);
  });

  const [cluster] = document.clusters;
  const withReplica = (replica: object) =>
    JSON.stringify({ clusters: [{ ...cluster, replicas: [{ id: "r", ...replica }] }] });

  test.each([
    ["{", "fleet.json: "],
    ["[]", "is no fleet document"],
    [withReplica({}), "clusters[0].replicas[0]"],
    [withReplica({ url: "localhost:8000" }), "clusters[0].replicas[0].url"],
    [withReplica({ url: "http://h:8000/v1/" }), "clusters[0].replicas[0].url: is the base URL without /v1"],
    [withReplica({ url: "http://h?a=1" }), "clusters[0].replicas[0].url: is a base URL"],
    [withReplica({ url: "http://me:pw@h" }), "clusters[0].replicas[0].url: holds a user's name"],
    [JSON.stringify({ ...document, aliases: { auto: { models: ["x"] } } }), "aliases.auto.models[0]"],
    [JSON.stringify({ ...document, extra: 1 }), "extra"],
    [
      JSON.stringify({
        clusters: [{ ...cluster, models: [...(cluster?.models ?? []), cluster?.models[0]] }],
      }),
      "clusters[0].models[6].id: is used twice",
    ],
  ])("%s is refused by the path of what is wrong", async (text, says) => {
    const failed = written(text);
    await expect(failed).rejects.toBeInstanceOf(FleetDocumentError);
    await expect(failed).rejects.toThrow(says);
  });
});
