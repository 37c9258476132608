import { afterEach, expect, test, vi } from "vitest";
import type { Principal } from "../../src/shared/identity/principal.ts";
import type { Admission } from "../../src/shared/limits/ports.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { refusedBeforeGuard } from "./before-guard.ts";
import type { Isolate } from "./isolate.ts";

afterEach(() => void vi.useRealTimers());

test("a bucket that says nothing holds nobody up before the guard is asked: admission says what becomes of it", async () => {
  vi.useFakeTimers();
  const silent = { getByName: () => ({ inspect: () => new Promise(() => undefined) }) };
  const isolate = { env: { TOKEN_BUCKET: silent, ENVIRONMENT: "local" } } as unknown as Isolate;
  const refused = {
    kind: "dependency-unavailable",
    component: "bucket",
    retryAfterMs: 1_000,
    detail: "away",
  } as const;
  const admission = { admit: async () => ({ ok: false, error: refused }) } as unknown as Admission;
  const principal = { user: "ann", org: "an-org", tier: "pro", key: null } as unknown as Principal;
  const keys = { type: "secret", name: "A_SECRET" };
  const issuer = { issuer: "https://id.test", audience: "a", algorithms: ["HS256"], keys };
  const tenant = tenantConfigSchema.parse({ id: "t", issuers: [issuer] });
  const caller = { principal, tenant, requestId: "r", traceparent: "", place: {} } as never;
  const asked = refusedBeforeGuard(isolate, caller, async () => admission);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await asked).toBe(refused);
});
