/** The edge before a model that says what it is told to: what a file of such tests sets up, and the bill of one user. */
import { afterAll, beforeAll, beforeEach, expect, vi } from "vitest";
import { putTenant, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { ScriptedEngine } from "./scripted-engine.ts";

/** @param tenants settings by tenant's id; the engine that their users reach forgets everything before each test */
export function scriptedEdge(tenants: Readonly<Record<string, object>>): ScriptedEngine {
  const engine = new ScriptedEngine();
  beforeAll(async () => {
    vi.spyOn(globalThis, "fetch").mockImplementation(engine.fetch);
    vi.spyOn(console, "log").mockImplementation(() => undefined);
    for (const [id, settings] of Object.entries(tenants)) await putTenant(id, settings);
  });
  beforeEach(() => engine.reset());
  afterAll(() => void vi.restoreAllMocks());
  return engine;
}

/** The bill of one user: what was asked and delivered, with nothing held back any more. */
export async function expectBill(authorization: string, requests: number, tokens: number): Promise<void> {
  await settled();
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    expect(await usage.json()).toMatchObject({
      user: { used: { requests, tokens }, reserved: { tokens: 0 } },
    });
  });
}

const unlimited = {
  requests_per_minute: null,
  requests_per_hour: null,
  requests_per_day: null,
  tokens_per_minute: null,
  tokens_per_month: null,
  concurrent_requests: null,
  cost_per_month_usd: null,
};

/** Where buckets are killed as well, which then charge what they may have let in: here nobody is to run out. */
export const limitless = { user: { pro: unlimited }, org: { pro: unlimited } };
