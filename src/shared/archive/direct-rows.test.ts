import { describe, expect, it } from "vitest";
import type { Background } from "../contracts/background.ts";
import { DirectRows } from "./direct-rows.ts";
import type { ArchivedTurn, ArchiveOutcome } from "./ports.ts";
import { archivedTurn } from "./turn-fixture.ts";

function world() {
  const sent: (readonly ArchivedTurn[])[] = [];
  const reports: string[] = [];
  const waking: (() => void)[] = [];
  const work: Promise<unknown>[] = [];
  const background: Background = { run: (_name, one) => void work.push(one) };
  let nowMs = 0;
  let away = false;
  let silent = false;
  const rows = new DirectRows({
    archive: {
      isOn: true,
      turn: () => Promise.reject(new Error("one by one")),
      erase: () => Promise.reject(new Error("not asked")),
      charges: async (turns): Promise<ArchiveOutcome> => {
        if (silent) return new Promise(() => undefined);
        if (away) return { result: "unreachable", detail: "away" };
        sent.push(turns);
        return { result: "accepted" };
      },
    },
    now: () => nowMs,
    sleep: () => new Promise((resolve) => void waking.push(resolve)),
    report: (_component, detail) => void reports.push(detail),
  });
  let made = 0;
  return {
    sent,
    reports,
    waking,
    add: (count: number) => {
      for (let at = 0; at < count; at += 1) {
        made += 1;
        rows.add(archivedTurn({ chargeId: `charge-${made}`, items: null }), background);
      }
    },
    /** As workerd does with what belongs to a request whose client reset it. */
    reset: () => {
      waking.length = 0;
      work.length = 0;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    setAway: (value: boolean) => {
      away = value;
    },
    setSilent: (value: boolean) => {
      silent = value;
    },
    wake: async () => {
      for (const one of waking.splice(0)) one();
      await Promise.all(work.splice(0));
    },
    chargeIds: () => sent.flat().map(({ chargeId }) => chargeId),
  };
}

describe("direct turns' rows", () => {
  it("go together after a while, under one promise", async () => {
    const { add, waking, wake, sent } = world();
    add(3);
    expect(waking).toHaveLength(1);
    expect(sent).toEqual([]);
    await wake();
    expect(sent.map((batch) => batch.length)).toEqual([3]);
  });

  it("go at once when fifty have come", async () => {
    const { add, sent, wake } = world();
    add(120);
    expect(sent.map((batch) => batch.length)).toEqual([50, 50]);
    await wake();
    expect(sent.map((batch) => batch.length)).toEqual([50, 50, 20]);
  });

  it("go with a later request when the one that promised was reset", async () => {
    const { add, reset, pass, wake, chargeIds } = world();
    add(1);
    reset();
    pass(4_000);
    add(1);
    await wake();
    expect(chargeIds()).toEqual(["charge-1", "charge-2"]);
  });

  it("go again with a later request when the one that handed them over was reset, and take no room for ever", async () => {
    const { add, reset, pass, wake, chargeIds, setSilent, reports } = world();
    for (let times = 0; times < 30; times += 1) {
      setSilent(true);
      add(50);
      reset();
      pass(60_000);
      setSilent(false);
      add(1);
      await wake();
    }
    expect(reports).toEqual([]);
    expect(new Set(chargeIds()).size).toBe(30 * 51);
  });

  it("stay while the queue is away, each once, a thousand at most, and the rest is said to be lost", async () => {
    const { add, setAway, pass, wake, chargeIds, reports } = world();
    setAway(true);
    add(1_010);
    await wake();
    expect(reports.filter((report) => report.includes("is lost"))).toHaveLength(10);
    setAway(false);
    // The next turn takes all along, though there is no room for its own row.
    pass(4_000);
    add(1);
    await wake();
    const ids = chargeIds();
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(1_000);
    expect(ids).toContain("charge-1000");
    expect(ids).not.toContain("charge-1001");
  });
});
