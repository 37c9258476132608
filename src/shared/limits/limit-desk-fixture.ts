/** One isolate's desk over simulated buckets. */
import { createLimitDesk } from "./limit-desk.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";
import { tenantWith } from "./simulated-turns.ts";

export function world(limits: object = {}) {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const tenant = tenantWith(limits);
  const options = isolateOptions(buckets, "isolate");
  const desk = createLimitDesk(options);
  const background = strictBackground();
  return { clock, buckets, tenant, options, desk, background, admission: desk.admission(background) };
}
