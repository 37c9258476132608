/** Isolates whose org's bucket is far from all of them, and regions with stocks. Simulated; tests turn its clock. */
import { bucketName } from "../bucket-name.ts";
import { createLimitDesk } from "../limit-desk.ts";
import { tenantWith, turn, use, within } from "../simulated-turns.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "../simulated-world.ts";
import { paris, SimulatedRegions } from "./simulated-regions.ts";

export const org = bucketName("acme", "org", "research");
export const farMs = 200;
export const nearMs = 10;

/** The org's bucket is far from everybody, users' are near. */
export function farWorld(isolates = 1, limits: object = {}, jurisdiction: "none" | "eu" = "none") {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  buckets.fate = ({ name }) => ({ fate: "delivered", delayMs: name === org ? farMs : 2 });
  const regions = new SimulatedRegions(buckets);
  const tenant = { ...tenantWith(limits), jurisdiction };
  const background = strictBackground();
  const desks = Array.from({ length: isolates }, (_, at) =>
    createLimitDesk({ ...isolateOptions(buckets, `i${at}`), regions: regions.port }),
  );
  let ids = 0;
  const ask = (isolate: number, options: Parameters<typeof turn>[2] = {}, place: object | null = paris) => {
    const desk = desks[isolate];
    if (desk === undefined) throw new Error("no such isolate");
    const request = turn(tenant, `t${(ids += 1)}`, {
      tier: "pro",
      user: `u${isolate}`,
      issuedAtMs: clock.now - 1,
      ...options,
    });
    return desk.admission(background).admit({ ...request, ...(place === null ? {} : { place }) });
  };
  /** Admits one turn; says how long that took. */
  const admit = async (
    isolate = 0,
    options: Parameters<typeof turn>[2] = {},
    place: object | null = paris,
  ) => {
    const startedMs = clock.now;
    const admitted = await within(clock, ask(isolate, options, place), 3_000);
    return { admitted, tookMs: clock.now - startedMs };
  };
  const done = async (
    isolate = 0,
    options: Parameters<typeof turn>[2] = {},
    place: object | null = paris,
  ) => {
    const { admitted, tookMs } = await admit(isolate, options, place);
    if (!admitted.ok) throw new Error(`refused: ${JSON.stringify(admitted.error)}`);
    admitted.value.settle(use(100));
    return tookMs;
  };
  return { clock, buckets, regions, tenant, background, ask, admit, done };
}
