/** The pictures of the next message: made smaller here, shown as chips, and sent with the message. The server does not store them separately. */
import type { ChatFile, FileState } from "./chat-file.ts";
import { mostPictures, pictureOf } from "./picture.ts";

const tooMany = {
  kind: "failed",
  why: `A message has room for ${mostPictures} pictures. Send it, then attach this one to the next.`,
  retry: false,
} as const;
const unreadable = {
  kind: "failed",
  why: "This picture can't be read by your browser. Attach it as JPEG or PNG.",
  retry: false,
} as const;

export class MessagePictures {
  readonly #show: (pictures: readonly ChatFile[]) => void;
  readonly #read: (file: File) => Promise<string>;
  #pictures: readonly ChatFile[] = [];
  /** Those of the message being sent. */
  #asked: readonly ChatFile[] = [];

  /** @param read returns a `data:` URL; rejects if that fails */
  constructor(
    show: (pictures: readonly ChatFile[]) => void,
    read: (file: File) => Promise<string> = pictureOf,
  ) {
    this.#show = show;
    this.#read = read;
  }

  add(file: File): void {
    const key = crypto.randomUUID();
    const count = this.#pictures.filter(({ state }) => state.kind !== "failed").length;
    const state: FileState = count < mostPictures ? { kind: "reading" } : tooMany;
    this.#become([...this.#pictures, { key, name: file.name || "Pasted picture", state, sent: false }]);
    if (state.kind === "reading") void this.#look(key, file);
  }

  /** `false`: it is not one of these. */
  remove(key: string): boolean {
    const left = this.#pictures.filter((picture) => picture.key !== key);
    if (left.length === this.#pictures.length) return false;
    this.#become(left);
    return true;
  }

  /** @param pictures those that were sent; pictures attached since belong to the next message */
  asked(pictures: readonly string[]): void {
    this.#asked = this.#pictures.filter(
      ({ picture, state }) => picture !== undefined && state.kind === "ready" && pictures.includes(picture),
    );
    if (this.#asked.length > 0) this.#become(this.#pictures.filter((one) => !this.#asked.includes(one)));
  }

  /** The message was refused: its pictures return, as its text does. */
  refused(): void {
    let room = mostPictures - this.#asked.length;
    const since = this.#pictures.map((picture): ChatFile => {
      if (picture.state.kind !== "ready") return picture;
      room -= 1;
      return room < 0 ? { ...picture, state: tooMany } : picture;
    });
    if (this.#asked.length > 0) this.#become([...this.#asked, ...since]);
    this.#asked = [];
  }

  async #look(key: string, file: File): Promise<void> {
    let looked: Pick<ChatFile, "state" | "picture">;
    try {
      const picture = await this.#read(file);
      // Pictures of a refused message may have returned meanwhile.
      const others = this.#pictures.filter((one) => one.key !== key && one.state.kind === "ready");
      looked = { picture, state: others.length < mostPictures ? { kind: "ready" } : tooMany };
    } catch {
      // Broken, or of a kind that this browser can't read.
      looked = { state: unreadable };
    }
    this.#become(this.#pictures.map((one) => (one.key === key ? { ...one, ...looked } : one)));
  }

  #become(pictures: readonly ChatFile[]): void {
    this.#pictures = pictures;
    this.#show(pictures);
  }
}
