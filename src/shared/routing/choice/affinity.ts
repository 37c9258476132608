/**
 * Which requests begin alike, so that they can go to the replica that has already computed the beginning? Keys of the rendered prompt's
 * leading blocks, as a hash chain, and of the conversation: everything up to the first answer in it, which all its turns have in common.
 * Where a key's home is, rendezvous.ts says.
 *
 * Keys only steer: two prompts with one key cost a cache miss, never a wrong answer. So the hash is 32 bits wide and quick, deep blocks are
 * sampled, and no key leaves the fleet's own parts. It is salted with a secret of the tenant, so that no tenant can aim its load at the
 * replica of another's conversations.
 */

/** The part of a prompt that can be recognised in another request. Plain numbers: it crosses Workers as JSON. */
export interface AffinityKeys {
  /** Keys of ever longer beginnings of the prompt, shortest first. Never empty. */
  readonly keys: readonly number[];
  /** The index in `keys` of the conversation's key: everything up to its first answer. */
  readonly conversationAt: number;
}

/** The part of a message that counts; structural, so that every kind of request fits. */
export interface AffinityMessage {
  readonly role: string;
  readonly content?: string | readonly { readonly type: string; readonly text?: string }[] | null | undefined;
}

/** A block of 16 tokens, vLLM's default, at four characters a token. */
const blockCharacters = 64;
/**
 * Keys are taken after 64, 256 and 1,024 blocks. Not sooner: a beginning that many chats share (a short system prompt) must
 * not send them all to one replica, and chats shorter than that are known by their conversation's key.
 */
const markCharacters: readonly number[] = [4096, 16_384, 65_536];
/** Nothing beyond this is read. */
const maxCharacters = 65_536;
/** The number of messages whose ends are hashed, too. */
const maxMessages = 32;

/**
 * Of so many characters at a position, the first block is hashed: all up to 1,024, then a quarter, and ever less. Beside these every
 * message's first and last block are: what tells two chats apart may be one short question behind a long system prompt. So at most
 * 3,328 characters and 128 a message are hashed, however long the prompt (measured: bench/fleet/routing-cost.ts).
 */
function strideAt(position: number): number {
  if (position < 1024) return blockCharacters;
  if (position < 4096) return 256;
  return position < 16_384 ? 1024 : 4096;
}

/** A number for a text of ours (a salt, a replica's name): the same in every isolate. */
export function seedOf(text: string): number {
  return finish(hashCharacters(0x811c_9dc5, text, 0, text.length));
}

/** The keys of a prompt. `seed`: of the tenant's secret salt and the model. */
export function affinityKeys(messages: readonly AffinityMessage[], seed: number): AffinityKeys {
  const chain = new Chain(seed);
  let conversationAt = -1;
  for (const message of messages) {
    if (message.role === "assistant" && conversationAt === -1) conversationAt = chain.mark();
    chain.begin(message.role);
    const { content } = message;
    if (typeof content === "string") chain.add(content);
    else if (content) for (const part of content) chain.add(part.text ?? part.type);
    if (chain.full && conversationAt !== -1) break;
  }
  if (conversationAt === -1) conversationAt = chain.mark();
  return { keys: chain.keys, conversationAt };
}

class Chain {
  readonly keys: number[] = [];
  #hash: number;
  #position = 0;
  #nextMark = 0;
  #messages = 0;

  constructor(seed: number) {
    this.#hash = seed;
  }

  get full(): boolean {
    return this.#position >= maxCharacters;
  }

  /** Takes a key here, and returns where it stands. */
  mark(): number {
    this.keys.push(finish(this.#hash));
    return this.keys.length - 1;
  }

  /** A message begins. */
  begin(role: string): void {
    this.#hash = Math.imul(this.#hash ^ (0x2_0000 + role.length), prime);
    this.#hash = hashCharacters(this.#hash, role, 0, Math.min(4, role.length));
  }

  add(text: string): void {
    // Where one text ends and the next begins belongs to the prompt.
    this.#hash = Math.imul(this.#hash ^ 0x1_0000, prime);
    const named = this.#messages < maxMessages;
    this.#messages += 1;
    if (named) this.#hash = hashCharacters(this.#hash, text, 0, Math.min(blockCharacters, text.length));
    let at = 0;
    while (at < text.length && !this.full) {
      const stride = strideAt(this.#position);
      const offset = this.#position % stride;
      const markAt = markCharacters[this.#nextMark] ?? maxCharacters;
      const end = offset < blockCharacters ? blockCharacters : stride;
      const count = Math.min(end - offset, text.length - at, markAt - this.#position);
      if (offset < blockCharacters) this.#hash = hashCharacters(this.#hash, text, at, at + count);
      at += count;
      this.#position += count;
      if (this.#position === markAt && this.#nextMark < markCharacters.length) {
        this.#nextMark += 1;
        this.mark();
      }
    }
    if (named && text.length > blockCharacters)
      this.#hash = hashCharacters(this.#hash, text, text.length - blockCharacters, text.length);
  }
}

/** FNV-1a's prime: http://www.isthe.com/chongo/tech/comp/fnv/. Over UTF-16 units in place of bytes. */
const prime = 0x0100_0193;

function hashCharacters(hash: number, text: string, from: number, to: number): number {
  let value = hash;
  for (let at = from; at < to; at += 1) value = Math.imul(value ^ text.charCodeAt(at), prime);
  return value;
}

/** MurmurHash3's finaliser: FNV alone leaves neighbours near each other. Unsigned. */
export function finish(hash: number): number {
  let value = hash;
  value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
