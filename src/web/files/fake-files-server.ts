/** For tests: a fake API with files, vector stores and one conversation, behind `fetch` and `XMLHttpRequest`. */
import { vi } from "vitest";

interface KeptFile {
  readonly id: string;
  readonly filename: string;
}
interface KeptStore {
  readonly metadata: Record<string, string>;
  readonly createdMs: number;
  expired: boolean;
  readonly files: Map<string, { status: string; error: object | null; attributes: Record<string, unknown> }>;
}

export class FakeFilesServer {
  readonly files = new Map<string, KeptFile>();
  readonly stores = new Map<string, KeptStore>();
  /** The metadata; `null`: the conversation does not exist. */
  conversation: Record<string, string> | null = null;
  readonly asked: string[] = [];
  /** The outcome of reading a file in a store. */
  reads: "ready" | "never" | { readonly code: string; readonly message: string } = "ready";
  /** Refuses requests that begin like this. */
  refuses: {
    readonly what: string;
    readonly status: number;
    readonly message?: string;
    readonly code?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } | null = null;
  readonly uploads: FakeUpload[] = [];
  mostStores = 100;
  /** Uploads wait for the test. */
  holdsUploads = false;
  #count = 0;

  constructor() {
    vi.stubGlobal("window", new EventTarget());
    vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false, adoptedStyleSheets: [] }));
    vi.stubGlobal(
      "CSSStyleSheet",
      class {
        replaceSync(): void {}
      },
    );
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => this.#answer(path, init));
    const uploads = this.uploads;
    const keep = (form: FormData): Response => this.#keep(form);
    const holds = (): boolean => this.holdsUploads;
    vi.stubGlobal(
      "XMLHttpRequest",
      class extends FakeUpload {
        override send(form: FormData): void {
          uploads.push(this);
          this.form = form;
          this.keep = keep;
          if (!holds()) void this.finish();
        }
      },
    );
  }

  #keep(form: FormData): Response {
    const refused = this.#refusal("POST /v1/files");
    if (refused !== null) return refused;
    const file = form.get("file") as File;
    this.#count += 1;
    const id = `file-${this.#count}`;
    this.files.set(id, { id, filename: file.name });
    return Response.json({ id });
  }

  #refusal(line: string): Response | null {
    this.asked.push(line);
    if (this.refuses === null || !line.startsWith(this.refuses.what)) return null;
    const { status, message = "said by the server", code = null, headers = {} } = this.refuses;
    return Response.json({ error: { message, code } }, { status, headers });
  }

  #answer(path: string, init: RequestInit): Response {
    if (init.signal?.aborted === true) throw init.signal.reason as Error;
    const method = init.method ?? "GET";
    const refused = this.#refusal(`${method} ${path}`);
    if (refused !== null) return refused;
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const [, , kind = "", id = "", , fileId] = path.split("?")[0]?.split("/") ?? [];
    if (kind === "conversations") {
      if (this.conversation === null) return missing();
      if (method === "POST") this.conversation = body["metadata"] as Record<string, string>;
      return Response.json({ metadata: this.conversation });
    }
    if (kind === "files") {
      if (!this.files.delete(id)) return missing();
      for (const { files } of this.stores.values()) files.delete(id);
      return Response.json({ deleted: true });
    }
    if (id === "" && method === "GET")
      return Response.json({ data: [...this.stores].map(([one, store]) => described(one, store)) });
    if (id === "") {
      if (this.stores.size >= this.mostStores)
        return Response.json(
          {
            error: {
              message: `There are ${this.mostStores} vector stores already, the most that this tenant allows. Delete some first.`,
              code: "invalid_value",
            },
          },
          { status: 400 },
        );
      this.#count += 1;
      const metadata = body["metadata"] as Record<string, string>;
      this.stores.set(`vs-${this.#count}`, {
        metadata,
        createdMs: Date.now(),
        expired: false,
        files: new Map(),
      });
      return Response.json({ id: `vs-${this.#count}` });
    }
    const store = this.stores.get(id);
    if (store === undefined) return missing();
    if (method === "DELETE") return Response.json({ deleted: this.stores.delete(id) });
    if (!path.includes("/files")) return Response.json(described(id, store));
    if (method === "POST") return this.#attach(id, store, body);
    if (fileId === undefined)
      return Response.json({ data: [...store.files.keys()].map((one) => shown(store, one)) });
    return store.files.has(fileId) ? Response.json(shown(store, fileId)) : missing();
  }

  #attach(id: string, store: KeptStore, body: Record<string, unknown>): Response {
    if (store.expired)
      return Response.json(
        { error: { message: "This vector store has expired", code: "conflict" } },
        { status: 409 },
      );
    const fileId = String(body["file_id"]);
    if (!this.files.has(fileId)) return missing("file_id");
    const error = typeof this.reads === "string" ? null : this.reads;
    const status = error !== null ? "failed" : this.reads === "ready" ? "completed" : "in_progress";
    store.files.set(fileId, { status, error, attributes: body["attributes"] as Record<string, unknown> });
    return Response.json(shown(this.stores.get(id) ?? store, fileId));
  }
}

function described(id: string, { expired, createdMs, metadata }: KeptStore): object {
  return { id, status: expired ? "expired" : "completed", created_at: createdMs / 1000, metadata };
}

function shown({ files }: KeptStore, id: string): object {
  const file = files.get(id);
  return { id, status: file?.status, last_error: file?.error, attributes: file?.attributes };
}

function missing(param?: string): Response {
  return Response.json(
    { error: { message: "none", code: "not_found", param: param ?? null } },
    { status: 404 },
  );
}

export class FakeUpload extends EventTarget {
  readonly upload = new EventTarget();
  form: FormData | null = null;
  keep: (form: FormData) => Response = () => new Response();
  status = 0;
  responseText = "";
  #ended = false;
  #headers = new Headers();

  open(): void {
    this.#ended = false;
  }
  setRequestHeader(): void {
    if (this.#ended) throw new Error("a request that has ended takes no headers");
  }
  getResponseHeader(name: string): string | null {
    return this.#headers.get(name);
  }
  send(form: FormData): void {
    this.form = form;
  }

  progress(loaded: number, total: number): void {
    this.upload.dispatchEvent(
      Object.assign(new Event("progress"), { loaded, total, lengthComputable: true }),
    );
  }

  async finish(): Promise<void> {
    if (this.form === null) throw new Error("nothing was sent");
    this.upload.dispatchEvent(new Event("load"));
    const response = this.keep(this.form);
    this.status = response.status;
    this.#headers = response.headers;
    this.responseText = await response.text();
    if (!this.#ended) this.#end("load");
  }

  /** Breaks the connection. */
  lose(): void {
    this.#end("error");
  }

  abort(): void {
    if (!this.#ended) this.#end("abort");
  }

  #end(how: string): void {
    this.#ended = true;
    this.dispatchEvent(new Event(how));
  }
}
