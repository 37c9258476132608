/**
 * Which of a turn's long texts lie in the bucket? Those of a turn that has ended and was pruned: until then they lie in parts (long-text.ts), so that
 * no first word waits for the bucket. Only the texts themselves refer to keys; any other key in the ledger is
 * erased.
 */
import { type ContentBucket, ContentUnavailable } from "../../src/shared/content/large-content.ts";
import { ContentLedger } from "../storage/content-ledger.ts";
import type { LongText } from "./long-text.ts";

export type TextName = "request" | "response";
const textNames: readonly TextName[] = ["response", "request"];

/** Where content goes, as the composition root has it. */
export interface ContentParts {
  readonly bucket: ContentBucket;
  readonly newKey: (tenant: string, item: string) => Promise<string>;
}

/** What this file needs of the turn's value. */
interface Holder {
  /** Whether anything of the turn ever went to the bucket. */
  isUsed(): boolean;
  /** Call it in a transaction: from now on some does. */
  use(): void;
  turn(): {
    readonly turnId: string;
    readonly tenant: string;
    /** It is pruned and owes nothing: effects read their texts where they lie here. */
    readonly isAtRest: boolean;
  } | null;
  /** All or nothing, in memory as on disk; nothing if it throws. */
  inTransaction(work: () => void): void;
}

export class TurnContent {
  readonly #storage: DurableObjectStorage;
  readonly #texts: LongText;
  readonly #holder: Holder;
  #ledger: ContentLedger | null = null;
  #isMoving = false;

  constructor(storage: DurableObjectStorage, texts: LongText, holder: Holder) {
    this.#storage = storage;
    this.#texts = texts;
    this.#holder = holder;
  }

  get isUsed(): boolean {
    return this.#holder.isUsed();
  }

  /** When something in the bucket is to be erased next; `null`: nothing is. */
  nextMs(): number | null {
    return this.isUsed ? this.#needLedger().nextMs() : null;
  }

  /** Whether this text has to be fetched before it is read. */
  isElsewhere(name: TextName): boolean {
    return this.isUsed && this.#texts.placeOf(name) !== null && !this.#texts.isFetched(name);
  }

  /** Throws `ContentUnavailable`: callers of any version take the object for unreachable. */
  async fetch(name: TextName, bucket: ContentBucket | null): Promise<void> {
    const place = this.#texts.placeOf(name);
    if (place === null || !this.isElsewhere(name)) return;
    if (bucket === null) throw new ContentUnavailable("its bucket is not bound");
    const text = await read(bucket, place.key);
    if (text?.length !== place.units) throw new ContentUnavailable("the bucket has not all of it");
    this.#texts.fetched(name, place.key, text);
  }

  /**
   * Erases what nothing refers to any more. Rejects where the bucket can't be reached; `nextMs` says when to try again.
   *
   * @param all whether nothing of the turn may stay
   */
  async sweep(bucket: ContentBucket | null, all: boolean): Promise<void> {
    if (!this.isUsed) return;
    const ledger = this.#needLedger();
    this.#holder.inTransaction(() => {
      // From here on it can't be kept longer: its bytes go first, and the rest when they are gone.
      if (all) for (const name of textNames) this.#texts.drop(name);
      const places = textNames.map((name) => this.#texts.placeOf(name));
      ledger.keepOnly(
        places.flatMap((place) => (place === null ? [] : [place.key])),
        Date.now(),
      );
    });
    await ledger.sweep(bucket, Date.now());
  }

  /** Moves the long texts of a turn at rest to the bucket. Rejects if the bucket does not take one, which then stays here. */
  async move({ bucket, newKey }: ContentParts): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    try {
      for (const name of textNames) await this.#moveOne(name, bucket, newKey);
    } finally {
      this.#isMoving = false;
    }
  }

  /** The object's storage was deleted. */
  wereDeleted(): void {
    this.#ledger = null;
  }

  async #moveOne(name: TextName, bucket: ContentBucket, newKey: ContentParts["newKey"]): Promise<void> {
    const turn = this.#holder.turn();
    if (turn?.isAtRest !== true || this.#texts.inParts(name) === null) return;
    const key = await newKey(turn.tenant, name);
    const text = this.#texts.inParts(name);
    if (text === null || this.#holder.turn()?.turnId !== turn.turnId) return;
    this.#holder.inTransaction(() => {
      this.#holder.use();
      this.#needLedger().intend(key, Date.now());
    });
    await bucket.put(key, text);
    this.#holder.inTransaction(() => {
      // The text may have been deleted or changed meanwhile. The turn is the same, since an intended key keeps its object alive.
      const isAsItWas = this.#holder.turn()?.isAtRest === true && this.#texts.inParts(name) === text;
      if (isAsItWas && this.#needLedger().hold(key)) this.#texts.moved(name, { key, units: text.length });
      else this.#needLedger().doom(key, Date.now());
    });
  }

  #needLedger(): ContentLedger {
    this.#ledger ??= new ContentLedger(this.#storage);
    return this.#ledger;
  }
}

async function read(bucket: ContentBucket, key: string): Promise<string | null> {
  try {
    return await bucket.get(key);
  } catch (error) {
    throw new ContentUnavailable(error instanceof Error ? error.message : "the bucket can't be asked");
  }
}
