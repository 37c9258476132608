import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Seam, type SeamOptions } from "./seam.ts";

const seam = (options: Partial<SeamOptions>): Seam =>
  new Seam({ prefix: "", ahead: "", stops: [], includeStop: false, ...options });

/** What the client gets, piece by piece. */
function freshOf(options: Partial<SeamOptions>, ...pieces: readonly string[]): string {
  const joint = seam(options);
  let fresh = "";
  for (const piece of pieces) {
    const step = joint.push(piece);
    fresh += step.fresh;
    if (step.stopped) return `${fresh}|`;
  }
  return fresh;
}

test("without anything ahead or to stop at there is no seam", () => {
  expect(seam({ prefix: "One" }).closed).toBe(true);
});

describe("what the client has already", () => {
  test("is not told again", () => {
    expect(freshOf({ ahead: "\n\n" }, "\n\n", "Three")).toBe("Three");
    expect(freshOf({ ahead: "\n\n" }, "\n", "\nThree")).toBe("Three");
    expect(freshOf({ ahead: " \ud83e" }, " \u{1F9EA}!")).toBe("\uddea!");
  });

  test("is not told again where the new engine says more of it", () => {
    expect(freshOf({ ahead: "\n" }, "\n\nThree")).toBe("\nThree");
  });

  test("stands where the new engine says something else", () => {
    expect(freshOf({ ahead: " " }, "three")).toBe("three");
    expect(freshOf({ ahead: "\n\n" }, "\n- three")).toBe("- three");
  });

  test("what is said and what is fresh add up to one text, however it is cut", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5 }), fc.array(fc.string({ maxLength: 3 })), (ahead, pieces) => {
        const joint = seam({ ahead });
        let said = "";
        let fresh = "";
        for (const piece of [ahead, ...pieces]) {
          const step = joint.push(piece);
          said += step.said;
          fresh += step.fresh;
        }
        expect(said + joint.ahead).toBe(ahead + fresh);
        expect(fresh).toBe(pieces.join(""));
      }),
    );
  });
});

describe("a stop string across the seam", () => {
  const stops = ["healthy and"];

  test("ends the answer, and is not shown", () => {
    expect(freshOf({ prefix: "that are healthy", stops }, " a", "nd picks")).toBe(" a|");
  });

  test("is shown to its end where that was asked for", () => {
    expect(freshOf({ prefix: "that are healthy", stops, includeStop: true }, " a", "nd picks")).toBe(" and|");
  });

  test("may begin in the prefix's last character, and not in front of what could still be one", () => {
    expect(freshOf({ prefix: "xyAB", stops: ["BC"] }, "Cd")).toBe("|");
    expect(freshOf({ prefix: "xyAB", stops: ["xyABC"] }, "Cd")).toBe("|");
  });

  test("wholly behind the seam is the engine's own", () => {
    expect(freshOf({ prefix: "xy", stops: ["BC"] }, "aBCd")).toBe("aBCd");
  });

  test("is found the same however the text comes", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 });
    const stop = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(letters, letters, stop, fc.nat(6), (prefix, text, stop, at) => {
        // The first engine would have ended at a stop string in the prefix.
        fc.pre(!prefix.includes(stop));
        const options = { prefix, stops: [stop], includeStop: true };
        const whole = freshOf(options, text);
        expect(freshOf(options, text.slice(0, at), text.slice(at))).toBe(whole);
        const found = (prefix + text).indexOf(stop);
        const crosses = found !== -1 && found < prefix.length;
        expect(whole).toBe(crosses ? `${(prefix + text).slice(prefix.length, found + stop.length)}|` : text);
      }),
    );
  });

  test("is looked for no longer than one can reach", () => {
    const joint = seam({ prefix: "abc", stops: ["xyz"] });
    expect(joint.closed).toBe(false);
    joint.push("de");
    expect(joint.closed).toBe(true);
  });
});
