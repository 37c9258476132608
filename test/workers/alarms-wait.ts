/**
 * For tests that ring objects' alarms themselves (`runDurableObjectAlarm`): without this an alarm that is due rings by itself as well, between
 * any two lines of a test, and what it has done by then is a matter of how busy the machine is.
 */
import { beforeEach } from "vitest";

/** Longer than any test, and than what objects wait for within one. */
const aheadMs = 3_600_000;

/** From now on alarms of this file ring when a test says so, and never by themselves: objects set them by a clock that is an hour ahead. */
export function alarmsWait(): void {
  beforeEach(() => {
    const clock = Date;
    const { now } = clock;
    clock.now = () => now() + aheadMs;
    return () => {
      clock.now = now;
    };
  });
}
