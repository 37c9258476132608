/**
 * Handles a chat's files: each is uploaded, put into the store and read, two at a time, and can be removed at any moment. It reports to the
 * page only through `show`.
 */
import { ApiError } from "../api.ts";
import type { ChatFile, DeskOptions, FileState } from "./chat-file.ts";
import { ChatStore } from "./chat-store.ts";
import { fileProblem } from "./file-problem.ts";
import { attachFile, deleteFile, isEmptied, isMissing, listFiles, type StoredFile } from "./files-api.ts";
import { nameOf, shownFile } from "./shown-file.ts";
import { forgetUnsent, rememberUnsent } from "./unsent-files.ts";
import { untilRead } from "./until-read.ts";
import { uploadFile } from "./upload-file.ts";

/** The most files of one chat. A conversation hardly needs more, and each makes searches slower. */
export const mostFiles = 20;
/** A browser opens six connections to a host; the watch and a question need one each. */
const atOnce = 2;

const filesGone =
  "The files of this chat are gone: they are kept for 30 days, or were deleted elsewhere. Attach them again to ask about them.";

const empty = {
  kind: "failed",
  why: "There is nothing in it. The files of a folder are attached one by one.",
  retry: false,
} as const;

/** The work for a file that was added on this page. */
interface Job {
  readonly file: File;
  readonly removed: AbortController;
  /** Once its bytes are on the server. */
  id: string | null;
}

export class ChatFiles {
  readonly #options: DeskOptions;
  readonly #store: ChatStore;
  readonly #jobs = new Map<string, Job>();
  readonly #stopped = new AbortController();
  /** Files without a job whose state is polled until they are read. */
  readonly #followed = new Set<string>();
  /** The store of each file. */
  readonly #places = new Map<string, string>();
  #files: readonly ChatFile[] = [];
  #running = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#store = new ChatStore(options.conversation, options.token);
  }

  add(files: readonly File[]): void {
    let room = mostFiles - this.#files.filter(({ state }) => state.kind !== "failed").length;
    let left = 0;
    for (const file of files) {
      if (this.#isThere(file)) continue;
      room -= 1;
      if (room < 0) left += 1;
      else this.#take(file);
    }
    this.#note(
      left === 0
        ? null
        : `A chat has room for ${mostFiles} files: ${left === 1 ? "one was" : `${left} were`} not attached. Start another chat for more.`,
    );
    this.#shown();
    this.#next();
  }

  async remove(key: string): Promise<void> {
    const file = this.#files.find((one) => one.key === key);
    const job = this.#jobs.get(key);
    if (file === undefined || file.sent) return;
    job?.removed.abort();
    this.#drop(key);
    // A file that existed when the chat was opened has no job; its key is its id.
    const id = job === undefined ? key : job.id;
    if (id !== null && !(await this.#deleted(id))) {
      // It is still in the store and may be found by a question: show it again, with a note.
      this.#note(`${file.name} could not be removed. Remove it again.`);
      if (job !== undefined) this.#jobs.set(key, { ...job, removed: new AbortController() });
      const state: FileState =
        file.state.kind === "ready"
          ? file.state
          : { kind: "failed", why: "It was not removed.", retry: false };
      this.#files = [...this.#files, { ...file, state }];
      return this.#shown();
    }
    this.#jobs.delete(key);
    if (this.#files.length === 0) await this.#store.drop();
  }

  retry(key: string): void {
    if (this.#files.find((one) => one.key === key)?.state.kind !== "failed") return;
    this.#become(key, { kind: "waiting" });
    this.#next();
  }

  dismiss(): void {
    this.#note(null);
  }

  storeIds(): readonly string[] {
    const { id } = this.#store;
    return id !== null && this.#files.some(({ state }) => state.kind === "ready") ? [id] : [];
  }

  asked(): void {
    const ready = this.#files.filter(({ state }) => state.kind === "ready").map(({ key }) => key);
    forgetUnsent(ready.map((key) => this.#jobs.get(key)?.id ?? key));
    for (const key of ready) this.#jobs.delete(key);
    this.#files = this.#files.map((file) => (file.state.kind === "ready" ? { ...file, sent: true } : file));
    this.#shown();
  }

  async saved(): Promise<void> {
    await this.#store.say();
  }

  async open(storeId: string): Promise<void> {
    const { token } = this.#options;
    const listed = (await listFiles(token(), storeId)) ?? [];
    const isGone = listed.length === 0 && (await isEmptied(token(), storeId));
    if (isGone) this.#store.gone(storeId);
    else this.#store.use(storeId);
    const own = this.#files.filter(({ key, sent }) => this.#jobs.has(key) && !sent);
    const ownIds = new Set(own.map(({ key }) => this.#jobs.get(key)?.id));
    const there = listed.filter(({ id }) => !ownIds.has(id));
    this.#files = [...there.map(shownFile), ...own];
    for (const { id } of there) this.#places.set(id, storeId);
    this.#note(isGone ? filesGone : null);
    this.#shown();
    for (const file of there) if (file.status === "in_progress") void this.#follow(file, storeId);
    if (!isGone) await this.#store.say();
  }

  gone(): void {
    const { id } = this.#store;
    if (id === null) return;
    this.#store.gone(id);
    this.#leaveBehind();
    // The question's notice says it.
    this.#note(null);
  }

  stop(): void {
    this.#stopped.abort();
    for (const { removed } of this.#jobs.values()) removed.abort();
  }

  #take(file: File): void {
    const key = crypto.randomUUID();
    const state: FileState = file.size === 0 ? empty : { kind: "waiting" };
    this.#jobs.set(key, { file, id: null, removed: new AbortController() });
    this.#files = [...this.#files, { key, name: nameOf(file), state, sent: false }];
  }

  #isThere({ name, size, lastModified }: File): boolean {
    return this.#files.some(({ key, state }) => {
      const file = this.#jobs.get(key)?.file;
      return (
        state.kind !== "failed" &&
        file?.name === name &&
        file.size === size &&
        file.lastModified === lastModified
      );
    });
  }

  #next(): void {
    for (const { key, state } of this.#files) {
      if (this.#running >= atOnce || this.#stopped.signal.aborted) return;
      const job = this.#jobs.get(key);
      if (state.kind !== "waiting" || job === undefined) continue;
      this.#running += 1;
      this.#become(key, job.id === null ? { kind: "uploading", percent: 0 } : { kind: "reading" });
      void this.#run(key, job).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #run(key: string, job: Job): Promise<void> {
    const { signal } = job.removed;
    try {
      const read = await this.#read(key, job);
      if (signal.aborted) return;
      if (read.status === "ready") return this.#become(key, { kind: "ready" });
      this.#become(key, { kind: "failed", why: read.why, retry: read.retry });
      if (!read.retry) await this.#forget(job);
    } catch (error) {
      if (signal.aborted) return;
      if (isMissing(error)) job.id = null;
      const { refusesAll, ...problem } = fileProblem(error, job.file.size, Date.now());
      if (refusesAll === true) this.#options.show({ refused: problem.why });
      this.#become(key, { kind: "failed", ...problem });
    }
  }

  async #read(key: string, job: Job): Promise<StoredFile> {
    const { token } = this.#options;
    const { signal } = job.removed;
    const storeId = await this.#store.ready();
    signal.throwIfAborted();
    if (job.id === null) {
      job.id = await uploadFile(
        token(),
        job.file,
        (percent) => this.#become(key, { kind: "uploading", percent }),
        signal,
      );
      rememberUnsent(job.id);
      // It may have been removed while its last byte was sent.
      if (signal.aborted) await this.#forget(job);
      signal.throwIfAborted();
    }
    this.#become(key, { kind: "reading" });
    const file = { id: job.id, name: nameOf(job.file) };
    const attached = await this.#store.takes(storeId, async (id) => attachFile(token(), id, file, signal));
    this.#places.set(key, attached.storeId);
    if (attached.storeId !== storeId) this.#leaveBehind();
    return untilRead(token, attached.storeId, attached.value, signal);
  }

  /** Files of a store that is gone can't be searched any more. */
  #leaveBehind(): void {
    const { id } = this.#store;
    const left = this.#files.filter(
      ({ key, state }) => state.kind !== "ready" || this.#places.get(key) === id,
    );
    if (left.length === this.#files.length) return;
    this.#files = left;
    this.#note(filesGone);
    this.#shown();
  }

  /** Follows a file that was being read when the chat was opened. */
  async #follow(file: StoredFile, storeId: string): Promise<void> {
    if (this.#followed.has(file.id)) return;
    this.#followed.add(file.id);
    try {
      const read = await untilRead(this.#options.token, storeId, file, this.#stopped.signal);
      this.#become(file.id, shownFile(read).state);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#become(file.id, { kind: "failed", why: fileProblem(error, 0, Date.now()).why, retry: false });
    } finally {
      this.#followed.delete(file.id);
    }
  }

  /** Deletes a file that is no longer needed, since it counts against its owner's limits. If that fails, it expires. */
  async #forget(job: Job): Promise<void> {
    if (job.id !== null && (await this.#deleted(job.id))) job.id = null;
  }

  async #deleted(fileId: string): Promise<boolean> {
    try {
      await deleteFile(this.#options.token(), fileId);
      forgetUnsent([fileId]);
      return true;
    } catch (error) {
      if (error instanceof ApiError) return false;
      throw error;
    }
  }

  #become(key: string, state: FileState): void {
    this.#files = this.#files.map((file) => (file.key === key ? { ...file, state } : file));
    this.#shown();
  }

  #drop(key: string): void {
    this.#files = this.#files.filter((file) => file.key !== key);
    this.#shown();
  }

  #shown(): void {
    this.#options.show({ files: this.#files });
  }

  #note(note: string | null): void {
    this.#options.show({ note });
  }
}
