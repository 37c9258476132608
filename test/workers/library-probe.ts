/** One owner's Library object by itself, asked as the edge asks it. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import {
  libraryName,
  libraryVersion,
  type LibraryLimits,
  type StoredIn,
} from "../../src/shared/contracts/library.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { mintId, objectOfId, type IdKind } from "../../src/shared/turn/response-id.ts";

const hash = new KeyedHash("a secret of the tests, long enough");
const plenty: LibraryLimits = { maxFiles: 100, maxTotalBytes: 1_000_000_000 };

export class LibraryProbe {
  readonly owner: { readonly tenant: string; readonly user: string };
  #nowMs = 1_700_000_000_000;

  /** Absent: a user of its own. */
  constructor(user: string = crypto.randomUUID(), tenant = "library-tests") {
    this.owner = { tenant, user };
  }

  get message() {
    return { v: libraryVersion, owner: this.owner, jurisdiction: "none" } as const;
  }

  get stub() {
    return env.LIBRARY.getByName(libraryName(this.owner));
  }

  async id(kind: IdKind, nowMs = this.#nowMs + 1): Promise<string> {
    this.#nowMs = nowMs;
    const entropy = crypto.getRandomValues(new Uint8Array(16));
    const request = { kind, owner: this.owner, jurisdiction: "none", nowMs: this.#nowMs, entropy } as const;
    return (await mintId(hash, request)).id;
  }

  begin(fileId: string, reserveBytes: number, storedIn: StoredIn = "library", limits = plenty) {
    return this.stub.beginUpload({ ...this.message, fileId, reserveBytes, storedIn, limits });
  }

  /** A whole upload. */
  async file(text: string, storedIn: StoredIn, more: { expiresAfterMs?: number } = {}): Promise<string> {
    const fileId = await this.id("file");
    const bytes = new TextEncoder().encode(text);
    expect(await this.begin(fileId, bytes.length, storedIn)).toEqual({
      result: "ok",
      roomBytes: bytes.length,
    });
    await this.write(fileId, text, storedIn);
    await this.finish(fileId, bytes.length, more.expiresAfterMs ?? null);
    return fileId;
  }

  async write(fileId: string, text: string, storedIn: StoredIn): Promise<void> {
    const writer = fileContents(env).writer({ ...this.message, fileId }, storedIn);
    await writer.write(new TextEncoder().encode(text));
    await writer.finish();
  }

  finish(fileId: string, bytes: number, expiresAfterMs: number | null = null) {
    const named = { filename: "a.txt", purpose: "assistants", mediaType: "text/plain" } as const;
    return this.stub.finishUpload({ ...this.message, fileId, ...named, bytes, expiresAfterMs });
  }

  async ids(more: object = {}): Promise<string[]> {
    const page = { after: null, before: null, limit: 100, order: "asc", purpose: null } as const;
    const listed = await this.stub.listFiles({ ...this.message, ...page, ...more });
    if (listed.result !== "ok") throw new Error(listed.result);
    return listed.files.map(({ id }) => id);
  }

  store(storeId: string, files: readonly string[] = [], maxStores = 10) {
    const definition = { name: "n", description: "", metadata: {}, expiresAfterDays: null };
    const chunking = { maxTokens: 800, overlapTokens: 400 };
    return this.stub.createStore({
      ...this.message,
      storeId,
      definition,
      files: files.map((fileId) => ({ fileId, attributes: {}, chunking })),
      maxStores,
      maxPassages: 1000,
    });
  }

  knowledge(storeId: string) {
    return env.KNOWLEDGE_BASE.getByName(objectOfId(storeId)?.objectName ?? "");
  }

  erase(closedUntilMs = 0) {
    return this.stub.erase({ ...this.message, closedUntilMs });
  }

  rows<Row extends Record<string, SqlStorageValue>>(query: string): Promise<Row[]> {
    return runInDurableObject(this.stub, (_instance, { storage }) => storage.sql.exec<Row>(query).toArray());
  }

  /** Of its storage. */
  async tables(): Promise<string[]> {
    const tables = await this.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
    return tables.map(({ name }) => name).filter((name) => !name.startsWith("_cf_"));
  }

  /** Of a tenant's own. */
  async members(): Promise<string[]> {
    return (await this.rows<{ user: string }>("SELECT user FROM member ORDER BY user")).map(
      ({ user }) => user,
    );
  }
}
