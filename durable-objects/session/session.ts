import { DurableObject } from "cloudflare:workers";
import {
  type CredentialsRevoked,
  openingHeader,
  type SessionOpening,
  sessionVersion,
  type StillThere,
} from "../../src/shared/contracts/session.ts";
import { err } from "../../src/shared/contracts/result.ts";
import { type ClientEvent, readClientEvent } from "../../src/shared/sessions/client-event.ts";
import { Lanes } from "../../src/shared/sessions/lanes.ts";
import {
  answeringCode,
  type Closing,
  closings,
  errorEvent,
  inLane,
} from "../../src/shared/sessions/server-event.ts";
import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";
import { EventRelay } from "./event-relay.ts";
import { ReadAhead } from "./read-ahead.ts";
import { isOpenedBy, Registration } from "./registration.ts";
import type { SessionParts, SessionTurn, TurnOfSession } from "./session-parts.ts";
import { attach, attachmentOf, send } from "./session-socket.ts";
import { UnkeptResponses } from "./unkept-responses.ts";

/** Reading a turn's journal keeps the object awake; if the reading is lost all the same, this check finds it. */
const livenessMs = 30_000;
const key = "session";

/**
 * One socket of the Responses API: messages in, events out, asleep between turns. The turns run in Generation objects;
 * this one reads their journals, as any client does, so that a socket that breaks loses nothing.
 *
 * A factory, so that the composition root supplies how turns are started and imports stay directed.
 */
export function createSessionClass(
  compose: (env: Cloudflare.Env, context: DurableObjectState) => SessionParts,
): SessionClass {
  return class Session extends DurableObject implements SessionMethods {
    readonly #lanes = new Lanes<TurnOfSession>(socketLimits);
    readonly #unkept: UnkeptResponses;
    #opening: SessionOpening | null;
    /** Until its buckets have answered. */
    #registration: Registration | null = null;
    #composed: SessionParts | null = null;
    readonly #readAhead = new ReadAhead();
    #wrong = 0;

    constructor(context: DurableObjectState, env: Cloudflare.Env) {
      super(context, env);
      this.#opening = context.storage.kv.get<SessionOpening>(key) ?? null;
      this.#unkept = new UnkeptResponses(context.storage.kv);
      // Answered by the platform itself, while the object sleeps.
      context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
      // An answer that was being sent when memory was lost is not continued here: the client resumes it.
      const sockets = context.getWebSockets();
      for (const socket of sockets) if (attachmentOf(socket).active) this.#close(socket, closings.lost);
      // A deploy or a crash took the socket without a close event: the buckets would count it until its time is over.
      if (sockets.length === 0) this.#forget();
    }

    /** The upgrade, with `openingHeader`. Any status but 101: there is no socket, and why. */
    override async fetch(request: Request): Promise<Response> {
      const opening = JSON.parse(
        decodeURIComponent(request.headers.get(openingHeader) ?? "null"),
      ) as SessionOpening | null;
      if (opening?.v !== sessionVersion || this.#opening !== null || this.#registration !== null)
        return new Response(null, { status: 503 });
      // Told of revocations from here on; one that came before is told now, one that comes meanwhile is noted.
      const registration = new Registration(opening);
      this.#registration = registration;
      try {
        const registered = await registration.ask(this.#parts(), (work) => this.ctx.waitUntil(work));
        if (registered !== "open") return new Response(null, { status: refusals[registered] });
      } finally {
        this.#registration = null;
      }
      const { 0: client, 1: server } = new WebSocketPair();
      // Nothing awaits before the socket is there: a revocation closes what it finds.
      this.ctx.storage.kv.put(key, opening);
      this.#opening = opening;
      this.ctx.acceptWebSocket(server);
      attach(server, { active: false, resumes: 0 });
      await this.ctx.storage.setAlarm(opening.untilMs);
      const headers = opening.protocol === null ? {} : { "sec-websocket-protocol": opening.protocol };
      return new Response(null, { status: 101, webSocket: client, headers });
    }

    override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
      const opening = this.#opening;
      if (opening === null) return;
      this.#readAhead.heard();
      if (typeof message !== "string") return this.#close(socket, closings.binary);
      if (Date.now() >= opening.untilMs) return this.#close(socket, endOf(opening));
      const maxBytes = opening.maxMessageUnits;
      const read: ReturnType<typeof readClientEvent> =
        message.length > maxBytes
          ? err({ refusal: { kind: "body-too-large", maxBytes }, lane: null })
          : readClientEvent(message);
      if (!read.ok) {
        this.#wrong += 1;
        if (this.#wrong > socketLimits.wrong) return this.#close(socket, closings.wrong);
        return send(socket, errorEvent(read.error.refusal, opening.requestId, read.error.lane));
      }
      this.#take(socket, opening, read.value, message);
    }

    override webSocketClose(socket: WebSocket, code: number, reason: string): void {
      this.#close(socket, { code: answeringCode(code), reason });
    }

    override webSocketError(socket: WebSocket): void {
      this.#close(socket, closings.internal);
    }

    /** From a bucket: credentials of its owner were revoked. Answers whether the bucket has to know of this socket further. */
    revoked(message: CredentialsRevoked): StillThere {
      if (message.v === sessionVersion) {
        this.#registration?.told(message);
        if (this.#opening !== null && isOpenedBy(this.#opening, message)) this.#closeAll(closings.revoked);
      }
      return { there: this.#opening !== null || this.#registration !== null };
    }

    override async alarm(): Promise<void> {
      const opening = this.#opening;
      if (opening === null) return;
      const nowMs = Date.now();
      if (nowMs >= opening.untilMs) this.#closeAll(endOf(opening));
      else await this.ctx.storage.setAlarm(this.#nextAlarmMs(opening, nowMs));
    }

    #take(socket: WebSocket, opening: SessionOpening, event: ClientEvent, text: string): void {
      if (event.type === "ack") return;
      const { active, resumes } = attachmentOf(socket);
      const refuse = (message: string): void =>
        send(socket, errorEvent({ kind: "conflict", message }, opening.requestId, event.lane));
      if (event.type === "resume") {
        if (resumes >= socketLimits.resumes)
          return refuse("This socket has resumed too often. Open another one.");
        attach(socket, { active, resumes: resumes + 1 });
      }
      const turn: TurnOfSession = { event, text };
      switch (this.#lanes.add(event.lane, turn)) {
        case "full":
          return refuse("Too many responses are under way or waiting on this socket. Wait for one to end.");
        case "wait":
          return;
        case "begin":
          if (!active) this.#wake(socket, opening);
          this.ctx.waitUntil(this.#play(socket, opening, event.lane, turn));
      }
    }

    #wake(socket: WebSocket, opening: SessionOpening): void {
      attach(socket, { ...attachmentOf(socket), active: true });
      this.ctx.waitUntil(this.ctx.storage.setAlarm(this.#nextAlarmMs(opening, Date.now())));
    }

    /** The lane's turns, one after the other, until none waits. */
    async #play(
      socket: WebSocket,
      opening: SessionOpening,
      lane: string | null,
      first: TurnOfSession,
    ): Promise<void> {
      for (let turn: TurnOfSession | null = first; turn !== null; turn = this.#lanes.ended(lane)) {
        try {
          if (this.#opening !== null) await this.#answer(socket, opening, lane, turn);
        } catch (error) {
          this.#parts().report("session", String(error));
          this.#close(socket, closings.internal);
        }
      }
      if (this.#lanes.isIdle && this.#opening !== null)
        attach(socket, { ...attachmentOf(socket), active: false });
    }

    async #answer(
      socket: WebSocket,
      opening: SessionOpening,
      lane: string | null,
      turn: TurnOfSession,
    ): Promise<void> {
      const started = await this.#parts().start(opening, turn);
      if (this.#opening === null) {
        if (started.ok) await started.value.stream.cancel();
        return;
      }
      if (!started.ok) {
        if (started.error.kind === "tenant-gone") this.#close(socket, closings.tenantGone);
        else send(socket, errorEvent(started.error.refusal, started.error.requestId, lane));
        return;
      }
      const outcome = await this.#relay(socket, opening, lane, started.value, () => {
        // It has what it went on from. An answer that is only read again goes on from nothing.
        if (turn.event.type === "create") this.#prune(opening, this.#unkept.leave(lane));
      });
      const { kept, responseId } = started.value;
      if (outcome === "left" || kept) return;
      this.#prune(opening, this.#unkept.add(lane, responseId));
      this.ctx.waitUntil(this.#parts().hold(opening, responseId));
    }

    async #relay(
      socket: WebSocket,
      opening: SessionOpening,
      lane: string | null,
      { stream }: SessionTurn,
      onBegin: () => void,
    ): Promise<"ended" | "left"> {
      const relay = new EventRelay(stream);
      let begun = false;
      for (;;) {
        const read = await relay.next();
        if (this.#opening === null) break;
        if (read.kind === "ended") return "ended";
        if (read.kind === "lost") {
          this.#close(socket, closings.lost);
          return "left";
        }
        // As much as is sent, and a little more: a lane's name is shorter than what server-sent events have around an event.
        const bytes = read.bytes + read.events.length * (lane?.length ?? 0);
        const pingedMs = () => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
        if (!(await this.#readAhead.takesRoom(bytes, pingedMs))) {
          this.#close(socket, closings.behind);
          break;
        }
        if (this.#opening === null) break;
        for (const data of read.events) send(socket, inLane(data, lane));
        if (!begun && read.events.length > 0) onBegin();
        begun ||= read.events.length > 0;
      }
      await relay.leave();
      return "left";
    }

    /** What was not to be stored goes now, and not when its time is over. */
    #prune(opening: SessionOpening, ids: readonly string[]): void {
      for (const id of ids) this.ctx.waitUntil(this.#parts().prune(opening, id));
    }

    #closeAll(closing: Closing): void {
      for (const socket of this.ctx.getWebSockets()) this.#close(socket, closing);
    }

    /** Once: what comes afterwards changes nothing. */
    #close(socket: WebSocket, { code, reason }: { readonly code: number; readonly reason: string }): void {
      try {
        socket.close(code, reason);
      } catch {
        // It is closed already, which is what was wanted.
      }
      this.#forget();
    }

    /** There is no socket any more. */
    #forget(): void {
      const opening = this.#opening;
      if (opening === null) return;
      this.#opening = null;
      this.#readAhead.leave();
      this.#prune(opening, this.#unkept.leaveAll());
      this.ctx.waitUntil(this.#parts().unregister(opening));
      this.ctx.waitUntil(this.ctx.storage.deleteAll());
    }

    #nextAlarmMs({ untilMs }: SessionOpening, nowMs: number): number {
      const active = this.ctx.getWebSockets().some((socket) => attachmentOf(socket).active);
      return active ? Math.min(untilMs, nowMs + livenessMs) : untilMs;
    }

    #parts(): SessionParts {
      this.#composed ??= compose(this.env, this.ctx);
      return this.#composed;
    }
  };
}

/** What can be asked of the object over RPC. */
export interface SessionMethods {
  revoked(message: CredentialsRevoked): StillThere;
}

export type SessionObject = DurableObject & SessionMethods & { fetch(request: Request): Promise<Response> };
export type SessionClass = new (context: DurableObjectState, env: Cloudflare.Env) => SessionObject;

const refusals = { revoked: 401, full: 429, unreachable: 503 } as const;

function endOf({ principal }: SessionOpening): Closing {
  return Date.now() >= principal.expiresAtMs ? closings.expired : closings.old;
}
