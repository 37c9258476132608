import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { TokenBucket } from "../../durable-objects/token-bucket/token-bucket.ts";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { revokedKeyMs, type RevokeCommand } from "../../src/shared/limits/revocation.ts";
import { bearer, putTenant, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { openSocket } from "./test-socket.ts";
import { alarmsWait } from "./alarms-wait.ts";

alarmsWait();

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  await putTenant("revoked-sockets", {});
});
afterAll(() => void vi.restoreAllMocks());

const everything: RevokeCommand = { version: 1, what: "everything-issued-before-now" };
const bucketOf = (user: string) => env.TOKEN_BUCKET.getByName(bucketName("revoked-sockets", "user", user));

/** Revokes in an object that is killed when the revocation is on disk, and nobody has been told of it. */
async function revokedUntold(user: string, command: RevokeCommand): Promise<void> {
  await runInDurableObject(bucketOf(user), async (_object, context) => {
    const silent = {
      ...env,
      SESSION: { getByName: () => ({ revoked: () => new Promise(() => undefined) }) },
    };
    new TokenBucket(context, silent as unknown as Cloudflare.Env).revoke(command);
    await context.storage.sync();
  });
  await expect(
    runInDurableObject(bucketOf(user), (_object, context) => context.abort("killed")),
  ).rejects.toThrow("killed");
}

const socketsOf = (user: string) =>
  runInDurableObject(bucketOf(user), (_object, { storage }) =>
    Array.from(storage.kv.list({ prefix: "socket/" }), ([name]) => name),
  );

test("a bucket that is killed between a revocation and telling its sockets tells them when it wakes, by its alarm", async () => {
  const socket = await openSocket(await bearer("revoked-sockets", "untold"));
  await revokedUntold("untold", everything);
  const dueMs = await runInDurableObject(bucketOf("untold"), (_object, { storage }) => storage.getAlarm());
  expect(dueMs).toBeLessThanOrEqual(Date.now() + 3_000);
  expect(await runDurableObjectAlarm(bucketOf("untold"))).toBe(true);
  await socket.untilClosed();
  expect(socket.closed).toMatchObject({ code: 1008, reason: "the credential is revoked" });
  await eventually(async () => expect(await socketsOf("untold")).toEqual([]));
  await settled();
});

test("of a bucket's sockets only those are told that a revoked key opened, again and again until they are gone", async () => {
  const told: string[] = [];
  let away = true;
  const SESSION = {
    getByName: (session: string) => ({
      revoked: ({ keyId }: { keyId: string | null }) => {
        told.push(`${session} ${keyId}`);
        if (session === "away" && away) return new Promise(() => undefined);
        return Promise.resolve({ there: session === "closing" && told.length < 4 });
      },
    }),
  };
  const nowMs = Date.now();
  const opened = { v: 1, jurisdiction: "none", issuedAtMs: nowMs, untilMs: nowMs + 60_000 } as const;
  await runInDurableObject(bucketOf("keys"), async (_object, context) => {
    const bucket = new TokenBucket(context, { ...env, SESSION } as unknown as Cloudflare.Env);
    for (const session of ["away", "closing", "gone"])
      bucket.openSocket({ ...opened, session, keyId: "lost" }, 9);
    bucket.openSocket({ ...opened, session: "other", keyId: "kept" }, 9);
    bucket.openSocket({ ...opened, session: "token", keyId: null }, 9);
    bucket.revoke({ version: 1, what: "key", keyId: "lost" });
    await eventually(() => expect(told).toEqual(["away lost", "closing lost", "gone lost"]));
    away = false;
    // It finds one that was never reached, and one that was still closing.
    await bucket.alarm();
    expect(told.slice(3)).toEqual(["away lost", "closing lost"]);
  });
  expect(await socketsOf("keys")).toEqual(["socket/other", "socket/token"]);
});

test("an idle bucket whose sockets are all told and gone deletes its storage", async () => {
  const untilMs = Date.now() + 3_600_000;
  const opened = { v: 1, session: crypto.randomUUID(), jurisdiction: "none", untilMs } as const;
  await bucketOf("idle").openSocket({ ...opened, issuedAtMs: Date.now(), keyId: "lost" }, 9);
  await bucketOf("idle").revoke({ version: 1, what: "key", keyId: "lost" });
  await eventually(async () => expect(await socketsOf("idle")).toEqual([]));
  expect(await runDurableObjectAlarm(bucketOf("idle"))).toBe(true);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + revokedKeyMs + 3_600_000 });
  expect(await runDurableObjectAlarm(bucketOf("idle"))).toBe(true);
  await runInDurableObject(bucketOf("idle"), async (_object, { storage }) => {
    expect([...storage.kv.list()]).toEqual([]);
    expect(await storage.getAlarm()).toBeNull();
  });
  vi.useRealTimers();
});
