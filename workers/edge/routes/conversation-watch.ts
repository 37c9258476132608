/** `GET /v1/conversations/{id}/watch`: a second device sees what is being written, turn after turn, from where it was. */
import { callObject, calledObject } from "../../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../../durable-objects/storage/jurisdiction.ts";
import {
  conversationVersion,
  type ConversationFailure,
  type WatchConversation,
  type WatchOutcome,
} from "../../../src/shared/contracts/conversation.ts";
import { generationVersion } from "../../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import type { Result } from "../../../src/shared/contracts/result.ts";
import type { ConversationRef } from "../../../src/shared/turn/conversation-name.ts";
import type { RunningTurn } from "../../../src/shared/turn/durable/turn-order.ts";
import {
  changedEvent,
  deletedEvent,
  endedEvent,
  JournalRelay,
  keepAliveComment,
  readPosition,
  startedEvent,
  type WatchPosition,
} from "../../../src/shared/turn/durable/watch-events.ts";
import { verifyId } from "../../../src/shared/turn/response-id.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import { askConversation, conversationInPath } from "../ask-conversation.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { respondRefusal } from "../respond.ts";
import { ownerOf, streamFromObject } from "../run-durable.ts";

/** A watch ends after this and is begun anew: by then a credential may have been revoked, or code replaced. */
const longestMs = 300_000;
const keepAliveMs = 15_000;
/** A journal that breaks off is read again from where it was, so many times without anything new. */
const mostBreaks = 5;

export const watchConversation: TenantHandler = async (call) => {
  const { c, scope } = call;
  const seen = c.req.header("last-event-id") ?? c.req.query("starting_after") ?? "";
  const position = seen === "" ? null : readPosition(seen);
  if (seen !== "" && position === null)
    return respondRefusal(scope, invalidValue("Last-Event-ID", "must be the id of an event of this stream"));
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const first = await ask(call, conversation.value, nothingSeen, 0);
  if (!first.ok) return respondRefusal(scope, first.error);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const watch = new Watch(call, conversation.value, writable.getWriter());
  scope.background.run("watch", watch.run(first.value, position));
  return streamFromObject(call, readable, {});
};

type Asked = Exclude<WatchOutcome, ConversationFailure>;
type Seen = Pick<WatchConversation, "known" | "seen">;
const nothingSeen: Seen = { known: null };

async function ask(
  call: TenantCall,
  conversation: ConversationRef,
  seen: Seen,
  waitMs: number,
): Promise<Result<Asked, Refusal>> {
  return askConversation<Asked>(call, conversation, async (stub) =>
    stub.watch({ v: conversationVersion, owner: ownerOf(call), ...seen, waitMs }),
  );
}

class Watch {
  readonly #call: TenantCall;
  readonly #conversation: ConversationRef;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #left: Promise<"left">;
  #gone = false;

  constructor(
    call: TenantCall,
    conversation: ConversationRef,
    writer: WritableStreamDefaultWriter<Uint8Array>,
  ) {
    this.#call = call;
    this.#conversation = conversation;
    this.#writer = writer;
    // While nothing happens there is nothing to write: a watcher that leaves then is known by its stream alone.
    this.#left = writer.closed.then(
      () => "left" as const,
      () => {
        this.#gone = true;
        return "left" as const;
      },
    );
  }

  async run(first: Asked, position: WatchPosition | null): Promise<void> {
    const { running } = first;
    const untilMs = Date.now() + longestMs;
    // The headers leave with the first byte: a watcher must know that it watches before anything happens.
    await this.#say(keepAliveComment);
    if (position !== null && position.from !== null) {
      if (!(await this.#follow(position.responseId, position.from))) return this.#close();
      if (running?.responseId !== position.responseId) await this.#say(endedEvent(position.responseId));
    }
    let followed = position?.responseId ?? null;
    let now = running;
    let { changes: seen = null } = first;
    while (!this.#gone && Date.now() < untilMs) {
      if (now !== null && now.responseId !== followed) {
        if (!(await this.#tell(now))) return this.#close();
        followed = now.responseId;
      }
      const asked = await Promise.race([
        ask(this.#call, this.#conversation, { known: now?.responseId ?? null, seen }, keepAliveMs),
        this.#left,
      ]);
      if (asked === "left") return;
      if (!asked.ok) {
        if (asked.error.kind === "object-unknown") await this.#say(deletedEvent);
        break;
      }
      const { running: next, changes, ended = [], more = false } = asked.value;
      if (now !== null && next?.responseId !== now.responseId) await this.#say(endedEvent(now.responseId));
      else if (next?.responseId === now?.responseId) await this.#say(keepAliveComment);
      for (const turn of ended) {
        if (turn.responseId === now?.responseId || turn.responseId === followed) continue;
        // It came and went since the last question.
        if (!(await this.#tell(turn))) return this.#close();
        followed = turn.responseId;
        await this.#say(endedEvent(turn.responseId));
      }
      if (more) await this.#say(changedEvent);
      seen = changes ?? null;
      now = next;
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.#writer.close().catch(() => undefined);
  }

  /** A turn from its beginning. `false`: as `#follow`. */
  async #tell(turn: RunningTurn): Promise<boolean> {
    await this.#say(startedEvent(turn));
    return this.#follow(turn.responseId, 0);
  }

  /**
   * The turn's journal from there to its end, as far as there is one. `false`: it breaks off, or can't be asked for, again
   * and again. Then nobody is told that it ended: the watcher comes back, and goes on behind what it has.
   */
  async #follow(responseId: string, from: number): Promise<boolean> {
    let next = from;
    for (let breaks = 0; breaks < mostBreaks && !this.#gone; breaks += 1) {
      const journal = await this.#journal(responseId, next);
      if (journal === "unreachable") continue;
      // Anew each time: half an event of a journal that broke off is no beginning of the next.
      const relay = new JournalRelay(responseId, next);
      if (journal === null || (await this.#pass(journal, relay))) return true;
      if (relay.next > next) breaks = 0;
      next = relay.next;
    }
    return false;
  }

  /** `null`: there is none, or none any more. */
  async #journal(
    responseId: string,
    from: number,
  ): Promise<ReadableStream<Uint8Array> | "unreachable" | null> {
    const { env, hash } = this.#call.isolate;
    const owner = ownerOf(this.#call);
    const named = await verifyId(hash, responseId, owner);
    if (named === null || named.kind === "conversation") return null;
    const called = await callObject(
      async () =>
        inJurisdiction(env.GENERATION, named.jurisdiction, env.ENVIRONMENT)
          .getByName(named.objectName)
          .read({ v: generationVersion, owner, read: { from, ids: true } }),
      calledObject("generation", named.objectName),
    );
    if (!called.ok || called.value.result === "version-unsupported") return "unreachable";
    return called.value.result === "stream" ? called.value.stream : null;
  }

  /** `true`: it came to its end. */
  async #pass(stream: ReadableStream<Uint8Array>, relay: JournalRelay): Promise<boolean> {
    const reader = stream.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return true;
        const text = relay.push(value);
        if (text !== "") await this.#say(text);
        if (!this.#gone) continue;
        await reader.cancel("the watcher has left");
        return true;
      }
    } catch {
      // Cut off: its object was lost. What is left of it is asked for again.
      return false;
    }
  }

  async #say(text: string): Promise<void> {
    try {
      await this.#writer.write(this.#encoder.encode(text));
    } catch {
      // The watcher has left, which is its own end and no fault.
      this.#gone = true;
    }
  }
}
