import { describe, expect, it } from "vitest";
import { retryDelaySeconds } from "./consume-batch.ts";
import { faultOf } from "./database.ts";

describe("how long a message waits", () => {
  it("doubles from 5 s to an hour, and not all at once", () => {
    expect([1, 2, 3, 10, 11, 1000].map((attempts) => retryDelaySeconds(attempts, 0.5))).toEqual([
      5, 10, 20, 2560, 3600, 3600,
    ]);
    expect(retryDelaySeconds(11, 0)).toBe(2700);
    expect(retryDelaySeconds(11, 1)).toBe(4500);
  });

  it("keeps ten tries within the hours that an outage may last before the dead letters", () => {
    let seconds = 0;
    for (let attempts = 1; attempts <= 10; attempts += 1) seconds += retryDelaySeconds(attempts, 0.5);
    expect(seconds).toBe(5115);
  });
});

describe("whose fault a failed statement is", () => {
  it.each([
    ["ECONNREFUSED", "database"],
    ["CONNECTION_ENDED", "database"],
    ["57P01", "database"],
    ["53300", "database"],
    ["40P01", "database"],
    ["42P01", "database"],
    ["25006", "database"],
    ["22P05", "row"],
    ["22021", "row"],
    ["23514", "row"],
    ["54000", "row"],
    ["P0001", "row"],
  ])("%s: the %s's", (code, fault) => {
    expect(faultOf(Object.assign(new Error("said"), { code }))).toBe(fault);
  });

  it("one without a code is the network's", () => {
    expect(faultOf(new Error("socket closed"))).toBe("database");
    expect(faultOf("thrown text")).toBe("database");
  });
});
