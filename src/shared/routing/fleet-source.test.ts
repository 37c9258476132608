import { expect, test } from "vitest";
import { fakeFleet } from "../../../test/workers/fake-replicas.ts";
import { ok } from "../contracts/result.ts";
import { createFleetSource, parseFleet, type FleetSourceOptions } from "./fleet-source.ts";

const background = { run: () => undefined };
const document = (version: string) => JSON.stringify({ ...fakeFleet(1), version });
const stored = (version: string | null): FleetSourceOptions["stored"] => ({
  read: () => (version === null ? ok(null) : parsed(version)),
});

function parsed(version: string) {
  const fleet = parseFleet(document(version));
  if (!fleet.ok) throw new Error(fleet.error);
  return fleet;
}

test.each([
  ["the variable goes before KV", "variable", "kv", "variable"],
  ["KV goes before the bundle", undefined, "kv", "kv"],
  ["without both the bundle is in force", undefined, null, "bundle"],
] as const)("%s", async (_sentence, variable, inKv, expected) => {
  const source = createFleetSource({
    variable: variable && document(variable),
    stored: stored(inKv),
    bundled: { ...fakeFleet(1), version: "bundle" },
  });
  expect(await source.current(background)).toMatchObject({ ok: true, value: { version: expected } });
});

test("without any fleet it is unavailable, as production without the KV key is", async () => {
  const source = createFleetSource({ variable: undefined, stored: stored(null), bundled: null });
  expect(await source.current(background)).toMatchObject({
    ok: false,
    error: { kind: "dependency-unavailable", component: "fleet" },
  });
});

test("a broken variable stops the start and names the field", () => {
  const options = { stored: stored(null), bundled: null };
  expect(() => createFleetSource({ ...options, variable: "{" })).toThrow("FLEET: is not JSON");
  expect(() => createFleetSource({ ...options, variable: '{"version":"1","clusters":[]}' })).toThrow(
    "clusters",
  );
});

test("what memory has is given without a promise", () => {
  const source = createFleetSource({ variable: document("1"), stored: stored(null), bundled: null });
  expect(source.current(background)).not.toBeInstanceOf(Promise);
});
