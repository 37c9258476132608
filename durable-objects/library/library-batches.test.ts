/** A batch on its way: whose place it takes among its tenant's, and what is left where it does not come to be. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, onTestFinished, test, vi } from "vitest";
import type { BatchClaim, HoldPlaces, HoldPlacesOutcome } from "../../src/shared/contracts/library.ts";
import { LibraryProbe } from "../../test/workers/library-probe.ts";
import { Library } from "./library.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

/** A user's, and its tenant's own. */
function probes(): { readonly ann: LibraryProbe; readonly tenants: LibraryProbe } {
  const tenant = crypto.randomUUID();
  return { ann: new LibraryProbe("ann", tenant), tenants: new LibraryProbe("", tenant) };
}

async function create(probe: LibraryProbe, batchId: string, maxOpenTotal: number, claim?: BatchClaim) {
  return probe.stub.createBatch({
    ...probe.message,
    batchId,
    createdMs: Date.now(),
    maxOpen: 10,
    maxOpenTotal,
    ...(claim === undefined ? {} : { claim }),
    opening: {
      endpoint: "/v1/chat/completions",
      input: { owner: probe.owner, fileId: await probe.id("file"), storedIn: "library", bytes: 1 },
      principal: {} as never,
      place: {},
      metadata: null,
      outputExpiresAfterMs: null,
      windowMs: 86_400_000,
      maxLines: 10,
      maxLineBytes: 1000,
      maxInFlight: 1,
    },
  });
}

const claim = { key: "k", fingerprint: "f" };
const full = { result: "full", of: "tenant", most: 0 };

test("who asks twice at once with one key hears twice that there is no room, and no batch is there", async () => {
  const { ann } = probes();
  const asked = [await ann.id("batch"), await ann.id("batch")].map((id) => create(ann, id, 0, claim));
  expect(await Promise.all(asked)).toEqual([full, full]);
  expect(await ann.rows("SELECT id, state FROM batch")).toEqual([]);
});

test("a place is given back where only the answer was lost that it was taken", async () => {
  const { ann, tenants } = probes();
  const holds: Holds = Reflect.get(Library.prototype, "holdPlaces");
  const lost = vi.spyOn(Library.prototype, "holdPlaces").mockImplementation(function (
    this: Library,
    message,
  ) {
    holds.call(this, message);
    throw new Error("its answer is lost");
  });
  onTestFinished(() => lost.mockRestore());
  const batchId = await ann.id("batch");
  expect(await create(ann, batchId, 1, claim)).toMatchObject({ result: "unreachable" });
  expect(await tenants.rows("SELECT batch_id FROM batch_place")).toEqual([{ batch_id: batchId }]);
  await runDurableObjectAlarm(ann.stub);
  expect(await tenants.rows("SELECT * FROM batch_place")).toEqual([]);
  expect(await ann.rows("SELECT id, state FROM batch")).toEqual([]);
  // Its key names none.
  lost.mockRestore();
  expect(await create(ann, await ann.id("batch"), 0, claim)).toEqual(full);
});

test("a batch whose requests are counted counts no fewer when it is made once more", async () => {
  const { ann, tenants } = probes();
  const hold = async (batchId: string, lines: number) =>
    tenants.stub.holdPlaces({
      ...tenants.message,
      batchId,
      lines,
      maxLines: 5,
      untilMs: Date.now() + 86_400_000,
    });
  const [one, other] = [await ann.id("batch"), await ann.id("batch")];
  for (const lines of [4, 0]) expect(await hold(one, lines)).toEqual({ result: "held" });
  expect(await hold(other, 2)).toEqual({ result: "full", most: 5 });
  expect(await hold(other, 1)).toEqual({ result: "held" });
});

type Holds = (this: Library, message: HoldPlaces) => HoldPlacesOutcome;
