/** What a run keeps beside its journal (`TurnIo.keep`): whoever goes on with its turn, or ends it, finds it; it goes with the journal. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import {
  changeStored,
  emits,
  events,
  Following,
  ids,
  owner,
  Probe,
} from "../../test/workers/generation-probe.ts";
import { eventually } from "../../test/workers/eventually.ts";
import type { Script } from "../../test/workers/scripted-generation.ts";

const message = { v: 1, owner } as const;
const found = "what was found ".repeat(7_000);

async function killed(script: Partial<Script>): Promise<Probe> {
  const probe = new Probe();
  const steps = [
    { keep: "an earlier thought" },
    { keep: found },
    ...emits(events(2)),
    { pause: true } as const,
  ];
  const reading = new Following(await probe.start({ steps: [...steps, ...emits(events(1))], ...script }));
  await reading.until(2);
  await abortAllDurableObjects();
  expect(await reading.rest()).toBe("cut");
  return probe;
}

function keysOf(probe: Probe): Promise<string[]> {
  return runInDurableObject(probe.stub, (_object, { storage }) =>
    [...storage.kv.list()].map(([name]) => name).filter((name) => !name.startsWith("journal/")),
  );
}

test("a run that goes on after a kill finds what the lost one kept last", async () => {
  const probe = await killed({ resumes: "goes-on" });
  expect(ids(await probe.read(2))).toHaveLength(3);
  expect(probe.control.kept).toEqual([found]);
});

test("so does the end of a turn that nobody goes on with", async () => {
  const probe = await killed({});
  expect(await probe.stub.retrieve(message)).toMatchObject({ result: "ended", status: "incomplete" });
  expect(probe.control.kept).toEqual([found]);
});

test("so does a cancel", async () => {
  const probe = new Probe();
  const steps = [{ keep: found }, ...emits(events(1)), { pause: true } as const];
  const reading = new Following(await probe.start({ steps }));
  await reading.until(1);
  await probe.stub.cancel(message);
  expect(probe.control.kept).toEqual([found]);
});

test("it goes with the journal", async () => {
  const probe = new Probe();
  await new Response(await probe.start({ steps: [{ keep: "found" }, ...emits(events(1))] })).text();
  expect(await keysOf(probe)).toEqual(["kept", "turn"]);
  await changeStored(probe.stub, (stored) => {
    stored.endedMs = (stored.endedMs ?? 0) - 600_000;
  });
  await runDurableObjectAlarm(probe.stub);
  expect(await keysOf(probe)).toEqual(["turn"]);
});

test("it goes at once where the turn is deleted", async () => {
  const probe = new Probe();
  const end = { steps: [{ keep: found }, ...emits(events(1))] };
  await new Response(await probe.start(end)).text();
  await eventually(() => expect([...probe.control.settled.values()]).toEqual([15]));
  await probe.stub.delete(message);
  expect(await keysOf(probe)).toEqual([]);
});
