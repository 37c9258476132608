import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { resolvePolicy } from "../../src/shared/safety/safety-policy.ts";
import { screen } from "../../src/shared/safety/screen.ts";
import type { SpanKind } from "../../src/shared/safety/span.ts";

/** How well do the detectors find what others labelled? Runs where the published data is. */
const folder = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/safety`;
const flag = resolvePolicy({ action: "flag", kinds: {} });

function rows<Row>(file: string): Row[] {
  return readFileSync(`${folder}/${file}`, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}

interface Tally {
  found: number;
  missed: number;
  wrong: number;
}

describe.skipIf(!existsSync(folder))("published personal data", () => {
  test("typed spans in texts (presidio-research): exact ends, by kind", () => {
    const kinds: Record<string, SpanKind> = {
      CREDIT_CARD: "payment-card",
      IBAN_CODE: "iban",
      EMAIL_ADDRESS: "email",
    };
    const tallies = new Map<SpanKind, Tally>();
    const tally = (kind: SpanKind) => {
      const known = tallies.get(kind) ?? { found: 0, missed: 0, wrong: 0 };
      tallies.set(kind, known);
      return known;
    };
    for (const row of rows<{ text: string; spans: { type: string; start: number; end: number }[] }>(
      "pii_spans.jsonl",
    )) {
      const { spans } = screen(row.text, flag);
      const wanted = row.spans.flatMap((span) => {
        const kind = kinds[span.type];
        return kind === undefined ? [] : [{ kind, start: span.start, end: span.end }];
      });
      const same = (a: { kind: string; start: number; end: number }, b: typeof a) =>
        a.kind === b.kind && a.start === b.start && a.end === b.end;
      for (const want of wanted)
        tally(want.kind)[spans.some((span) => same(span, want)) ? "found" : "missed"] += 1;
      for (const span of spans) if (!wanted.some((want) => same(span, want))) tally(span.kind).wrong += 1;
    }
    for (const [kind, { found, missed, wrong }] of tallies) {
      expect(found / (found + missed), `${kind}: recall`).toBeGreaterThan(0.95);
      expect(wrong / (found + wrong), `${kind}: wrong`).toBeLessThan(0.02);
    }
    expect(tallies.size).toBe(3);
  });

  test("valid and invalid values (validator.js): whole values, checks without options", () => {
    const kinds: Record<string, SpanKind> = { isCreditCard: "payment-card", isIBAN: "iban" };
    let wrong = 0;
    let missed = 0;
    let count = 0;
    const values = rows<{ validator: string; args: unknown[]; label: string; text: string }>(
      "pii_values.jsonl",
    );
    for (const row of values) {
      const kind = kinds[row.validator];
      if (kind === undefined || row.args.length > 0) continue;
      const whole = screen(row.text, flag).spans.some(
        (span) => span.kind === kind && span.start === 0 && span.end === row.text.length,
      );
      count += 1;
      if (row.label === "valid" && !whole) missed += 1;
      if (row.label === "invalid" && whole) wrong += 1;
    }
    expect(count).toBeGreaterThan(30);
    expect(missed).toBe(0);
    // One IBAN is wrong only by the letters that its country's banks must have.
    expect(wrong).toBeLessThanOrEqual(1);
  });
});
