/** For tests: one chat's files as its page shows them, with a scripted server. */
import { expect, vi } from "vitest";
import { type FilesView, noFiles } from "./chat-file.ts";
import { ChatFiles } from "./chat-files.ts";
import { FakeFilesServer } from "./fake-files-server.ts";

let benches = 0;

export class ChatFilesBench {
  readonly server = new FakeFilesServer();
  /** The view of the tab opened last. */
  view: FilesView = noFiles;
  /** The conversation's id. */
  chat: string;

  constructor() {
    benches += 1;
    this.chat = `chat-${benches}`;
  }

  end(): void {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  }

  /** Opens the chat in another tab. */
  opened(): ChatFiles {
    this.view = noFiles;
    return new ChatFiles({
      conversation: this.chat,
      token: () => "token",
      show: (change) => {
        this.view = { ...this.view, ...change };
      },
    });
  }

  states(): (readonly [string, string])[] {
    return this.view.files.map(({ name, state }) => [name, state.kind]);
  }

  settled(): Promise<void> {
    return vi.waitFor(() => {
      for (const [, kind] of this.states()) expect(["ready", "failed"]).toContain(kind);
    });
  }

  onlyStore() {
    const [store] = this.server.stores.values();
    if (store === undefined) throw new Error("there is none");
    return store;
  }
}

export const file = (name: string, text = "words"): File => new File([text], name, { lastModified: 1 });
