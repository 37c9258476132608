import { expect, test } from "vitest";
import { fakeFleet } from "../../../../test/workers/fake-replicas.ts";
import { createFleetSource } from "./fleet-source.ts";

const background = { run: () => undefined };
const document = (version: string) => JSON.stringify({ ...fakeFleet(1), version });

function options(text: string | null) {
  const faults: string[] = [];
  return {
    variable: undefined as string | undefined,
    store: { get: () => Promise.resolve(text) },
    bundled: null as unknown,
    now: () => 0,
    report: (...fault: string[]) => void faults.push(fault.join(" ")),
    faults,
  };
}

test.each([
  ["the variable goes before KV", "variable", "kv", "variable"],
  ["KV goes before the bundle", undefined, "kv", "kv"],
  ["without both the bundle is in force", undefined, null, "bundle"],
] as const)("%s", async (_sentence, variable, inKv, expected) => {
  const source = createFleetSource({
    ...options(inKv && document(inKv)),
    variable: variable && document(variable),
    bundled: { ...fakeFleet(1), version: "bundle" },
  });
  expect(await source.current(background)).toMatchObject({ ok: true, value: { version: expected } });
});

test("without any fleet it is unavailable, as production without the KV key is", async () => {
  const source = createFleetSource(options(null));
  expect(await source.current(background)).toMatchObject({
    ok: false,
    error: { kind: "dependency-unavailable", component: "fleet" },
  });
});

test("a broken variable stops the start and names the field", () => {
  const without = options(null);
  expect(() => createFleetSource({ ...without, variable: "{" })).toThrow("FLEET: is not JSON");
  expect(() => createFleetSource({ ...without, variable: '{"version":"1","clusters":[]}' })).toThrow(
    "clusters",
  );
});

test("what memory has is given without a promise, and as the same index", async () => {
  const source = createFleetSource(options(document("1")));
  const first = await source.current(background);
  expect(source.current(background)).toBe(first);
});

test("a document in KV that newer code wrote is read without what only that knows, which is told; the variable's is not", async () => {
  const [cluster] = fakeFleet(1).clusters;
  const newer = JSON.stringify({
    ...fakeFleet(1),
    version: "newer",
    later: true,
    clusters: [{ ...cluster, of_tomorrow: {} }],
  });
  const given = options(newer);
  expect(await createFleetSource(given).current(background)).toMatchObject({
    ok: true,
    value: { version: "newer" },
  });
  expect(given.faults).toEqual([
    expect.stringMatching(
      /^configuration fleet .*(later,clusters\[0\]\.of_tomorrow|clusters\[0\]\.of_tomorrow,later)$/,
    ),
  ]);
  expect(() => createFleetSource({ ...options(null), variable: newer })).toThrow("FLEET");
});

test("a document in KV that breaks is reported, and the last good one stays in force", async () => {
  let text = document("good");
  let nowMs = 0;
  const given = { ...options(null), store: { get: () => Promise.resolve(text) }, now: () => nowMs };
  const source = createFleetSource(given);
  const good = await source.current(background);
  text = '{"version":"bad"}';
  nowMs = 3_600_000;
  expect(await source.current(background)).toEqual(good);
  expect(given.faults.join()).toContain("fleet is corrupt");
});
