import { afterEach, expect, test, vi } from "vitest";
import type { Principal } from "../../src/shared/identity/principal.ts";
import { microdollarsFor } from "../../src/shared/limits/cost.ts";
import type { Admission, AdmissionRequest } from "../../src/shared/limits/ports.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { refusedBeforeAdmission } from "./before-admission.ts";
import type { Isolate } from "./isolate.ts";

afterEach(() => void vi.useRealTimers());

const refused = {
  kind: "dependency-unavailable",
  component: "bucket",
  retryAfterMs: 1_000,
  detail: "away",
} as const;
const keys = { type: "secret", name: "A_SECRET" };
const issuer = { issuer: "https://id.test", audience: "a", algorithms: ["HS256"], keys };
const tenant = tenantConfigSchema.parse({ id: "t", issuers: [issuer] });
const principal = { user: "ann", org: "an-org", tier: "pro", key: null } as unknown as Principal;
const caller = { principal, tenant, requestId: "r", traceparent: "", place: {} } as never;

/** @param limits what a look into either bucket says */
function world(limits: () => Promise<readonly { unit: string; remaining: number }[]>) {
  const bucket = { inspect: async () => ({ limits: await limits() }) };
  const env = { TOKEN_BUCKET: { getByName: () => bucket }, ENVIRONMENT: "local" };
  const asked: AdmissionRequest[] = [];
  const admission = {
    admit: async (request: AdmissionRequest) => {
      asked.push(request);
      return { ok: false, error: refused };
    },
  } as unknown as Admission;
  const ask = (tokens: number, isFree = false) =>
    refusedBeforeAdmission(
      { env } as unknown as Isolate,
      caller,
      { tokens, mayBeFree: async () => isFree },
      async () => admission,
    );
  return { asked, ask };
}

test("a bucket that says nothing holds nobody up before the guard is asked: admission says what becomes of it", async () => {
  vi.useFakeTimers();
  const refusing = world(() => new Promise(() => undefined)).ask(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await refusing).toBe(refused);
});

test("who has room for the prompt and a request is not asked about again", async () => {
  const { ask, asked } = world(async () => [
    { unit: "tokens", remaining: 51 },
    { unit: "requests", remaining: 1 },
    { unit: "microdollars", remaining: 1 },
  ]);
  expect(await ask(51)).toBeNull();
  expect(asked).toEqual([]);
});

test.each([
  ["tokens", 50, false, 1],
  ["microdollars", 0, false, 1],
  // Somebody may ask a model that costs nothing.
  ["microdollars", 0, true, 0],
])(
  "of %s only %d are left: admission is asked for the least that the turn costs (free: %s)",
  async (unit, remaining, isFree, cost) => {
    const { ask, asked } = world(async () => [{ unit, remaining }]);
    expect(await ask(51, isFree)).toBe(refused);
    const [request] = asked;
    if (request === undefined) throw new Error("it was asked");
    const { promptTokens, answerTokens, price } = request;
    expect([promptTokens, answerTokens, microdollarsFor(price, promptTokens, answerTokens)]).toEqual([
      51,
      0,
      cost,
    ]);
  },
);
