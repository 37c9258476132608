import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import {
  type CredentialsRevoked,
  openingHeader,
  type SessionOpening,
  sessionVersion,
} from "../../src/shared/contracts/session.ts";
import type { Registered } from "./registration.ts";
import { ok } from "../../src/shared/contracts/result.ts";
import { attachmentOf } from "./session-socket.ts";
import { createSessionClass, type SessionObject } from "./session.ts";
import { eventually } from "../../test/workers/eventually.ts";

const hourMs = 3_600_000;
const everythingUntilNow: CredentialsRevoked = { v: sessionVersion, epoch: Date.now() + 1, keyId: null };
const anotherKey: CredentialsRevoked = { v: sessionVersion, epoch: 0, keyId: "another" };

function openingOf(session: string): SessionOpening {
  const nowMs = Date.now();
  return {
    v: sessionVersion,
    session,
    requestId: "r",
    tenant: "demo",
    jurisdiction: "none",
    principal: {
      tenant: "demo",
      org: "o",
      user: "u",
      issuedAtMs: nowMs - hourMs,
      expiresAtMs: nowMs + hourMs,
      key: null,
    } as unknown as SessionOpening["principal"],
    place: {},
    protocol: null,
    maxMessageUnits: 1000,
    untilMs: nowMs + hourMs,
  };
}

interface World {
  readonly context: DurableObjectState;
  /** The object as it starts with this storage and these sockets. */
  readonly wake: () => SessionObject;
  readonly upgrade: (object: SessionObject) => Promise<number>;
  /** What the buckets answer; until then the registration is under way. */
  readonly answer: (registered: Registered) => void;
  readonly unregistered: readonly string[];
  /** What becomes of responses that are not to be stored, in order. Turns are `resp_1`, `resp_2`, … */
  readonly unkept: readonly string[];
  readonly opening: SessionOpening;
}

/** Buckets that answer when they are told to. */
async function inObject(check: (world: World) => Promise<void>): Promise<void> {
  const session = crypto.randomUUID();
  await runInDurableObject(env.SESSION.getByName(session), async (_object, context) => {
    const opening = openingOf(session);
    const asked = Promise.withResolvers<Registered>();
    const unregistered: string[] = [];
    const unkept: string[] = [];
    let started = 0;
    const Session = createSessionClass(() => ({
      start: () => {
        started += 1;
        const stream = new Response(`data: {"type":"response.completed"}\n\n`).body;
        if (stream === null) throw new Error("a response has a body");
        return Promise.resolve(ok({ responseId: `resp_${started}`, kept: false, stream }));
      },
      hold: (_opening, id) => {
        unkept.push(`hold ${id}`);
        return Promise.resolve();
      },
      prune: (_opening, id) => {
        unkept.push(`prune ${id}`);
        return Promise.resolve();
      },
      register: () => asked.promise,
      unregister: (gone) => {
        unregistered.push(gone.session);
        return Promise.resolve();
      },
      report: () => undefined,
    }));
    const headers = { [openingHeader]: encodeURIComponent(JSON.stringify(opening)), upgrade: "websocket" };
    await check({
      context,
      opening,
      unregistered,
      unkept,
      wake: () => new Session(context, env),
      answer: asked.resolve,
      upgrade: async (object) => {
        const { status, webSocket } = await object.fetch(new Request("https://session", { headers }));
        webSocket?.accept();
        return status;
      },
    });
  });
}

test("a revocation that comes while the buckets are asked refuses the socket, and leaves no place taken", () =>
  inObject(async ({ wake, upgrade, answer, unregistered, opening, context }) => {
    const object = wake();
    const status = upgrade(object);
    expect(object.revoked(everythingUntilNow)).toEqual({ there: true });
    answer("open");
    expect(await status).toBe(401);
    expect(context.getWebSockets()).toEqual([]);
    expect(unregistered).toEqual([opening.session]);
    expect(object.revoked(anotherKey)).toEqual({ there: false });
  }));

test("another credential's revocation meanwhile changes nothing, and one that follows closes the socket", () =>
  inObject(async ({ wake, upgrade, answer, unregistered, context }) => {
    const object = wake();
    const status = upgrade(object);
    object.revoked(anotherKey);
    answer("open");
    expect(await status).toBe(101);
    expect(context.getWebSockets()).toHaveLength(1);
    expect(object.revoked(anotherKey)).toEqual({ there: true });
    expect(unregistered).toEqual([]);
    expect(object.revoked(everythingUntilNow)).toEqual({ there: false });
    expect(unregistered).toHaveLength(1);
  }));

test("of two upgrades at once on one object one is refused, and the other one is told of revocations", () =>
  inObject(async ({ wake, upgrade, answer }) => {
    const object = wake();
    const first = upgrade(object);
    expect(await upgrade(object)).toBe(503);
    object.revoked(everythingUntilNow);
    answer("open");
    expect(await first).toBe(401);
  }));

test.each(["full", "unreachable", "revoked"] as const)(
  "an opening that one bucket took and the other did not (%s) is taken out of both",
  (registered) =>
    inObject(async ({ wake, upgrade, answer, unregistered, opening }) => {
      answer(registered);
      expect(await upgrade(wake())).toBeGreaterThanOrEqual(400);
      expect(unregistered).toEqual([opening.session]);
    }),
);

test("an object that wakes without its socket takes itself out of its buckets and forgets", () =>
  inObject(async ({ wake, unregistered, opening, context }) => {
    context.storage.kv.put("session", opening);
    expect(wake().revoked(anotherKey)).toEqual({ there: false });
    expect(unregistered).toEqual([opening.session]);
    expect([...context.storage.kv.list()]).toEqual([]);
  }));

test("what is not to be stored is held while its lane may go on from it, and goes with the next or with the socket, also after a sleep", () =>
  inObject(async ({ wake, upgrade, answer, unkept, context }) => {
    const object = wake();
    answer("open");
    await upgrade(object);
    const [socket] = context.getWebSockets();
    if (socket === undefined) throw new Error("no socket");
    const say = (to: SessionObject, message: object): void =>
      void to.webSocketMessage?.(socket, JSON.stringify({ model: "auto", input: "Hi", ...message }));
    const happened = async (what: string) =>
      eventually(() => {
        expect(unkept).toContain(what);
        expect(attachmentOf(socket).active).toBe(false);
      });
    say(object, { type: "response.create", store: false });
    await happened("hold resp_1");
    // It slept: memory knows nothing of the first.
    const awake = wake();
    say(awake, { type: "response.create", store: false });
    await happened("hold resp_2");
    say(awake, { type: "response.create", store: false, stream_id: "other" });
    await happened("hold resp_3");
    expect(unkept.filter((what) => what.startsWith("prune"))).toEqual(["prune resp_1"]);
    void wake().webSocketClose?.(socket, 1000, "", true);
    expect(unkept.slice(-2)).toEqual(["prune resp_2", "prune resp_3"]);
  }));
