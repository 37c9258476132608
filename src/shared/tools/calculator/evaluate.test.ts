import * as fc from "fast-check";
import { expect, test } from "vitest";
import { calculatorLimits, evaluate } from "./evaluate.ts";

test.each([
  ["1+2*3", "7"],
  ["(1+2)*3", "9"],
  ["-2^2", "-4"],
  ["2^-1", "0.5"],
  ["2**3**2", "512"],
  ["0.1+0.2", "0.3"],
  [".5*4", "2"],
  ["1e3", "1000"],
  ["12×3÷4−1", "8"],
  ["10 % 3", "1"],
  ["-7 % 3", "2"],
  ["50% * 10", "5"],
  ["(200+10)%", "2.1"],
  ["1/3", "1/3 (about 0.333333333333)"],
  ["sqrt(9/4)", "1.5"],
  ["√16+1", "5"],
  ["sqrt(2)", "about 1.414213562373095"],
  ["round(2.345, 2)", "2.35"],
  ["round(-2.5)", "-3"],
  ["max(1, 2/3, 5)", "5"],
  ["floor(-1.5)+ceil(1.2)", "0"],
  ["2^200/2^199", "2"],
  ["(-1)^99999999999", "-1"],
])("%s is %s", (expression, value) => {
  expect(evaluate(expression)).toEqual({ ok: true, value });
});

test.each([
  ["", "empty"],
  ["2+", "ends where a number is expected"],
  ["2(3)", "not expected"],
  ["1/0", "divides by zero"],
  ["5 % 0", "divides by zero"],
  ["0^-1", "power"],
  ["2^0.5", "not a whole one"],
  ["9^9^9", "too large"],
  ["1e9999", "too large"],
  ["9e4000*9e4000", "too large"],
  ["sqrt(-1)", "no square root"],
  ["constructor", "unknown"],
  ["toString(1)", "unknown"],
  ["__proto__", "means nothing here"],
  ["process.exit(1)", "means nothing here"],
  ["a=1", "means nothing here"],
  ["round(1,2,3)", "one or two"],
  ["round(1,9e9)", "100"],
  ["(".repeat(200), "nested too deeply"],
  ["-".repeat(500) + "1", "nested too deeply"],
  ["1".repeat(calculatorLimits.characters + 1), "longer"],
])("%s is refused", (expression, reason) => {
  const result = evaluate(expression);
  expect(result).toMatchObject({ ok: false });
  expect(result.ok ? "" : result.error).toContain(reason);
});

test("whatever is written, it is answered at once and never throws", () => {
  const signs = fc.constantFrom(..."0123456789.+-*/^%(),e sqrtmax√×".split(""));
  fc.assert(
    fc.property(fc.array(signs, { maxLength: 300 }), (characters) => {
      const began = performance.now();
      evaluate(characters.join(""));
      expect(performance.now() - began).toBeLessThan(1000);
    }),
    { numRuns: 500 },
  );
});

test("whole numbers are computed as BigInt does", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
      fc.bigInt({ min: 0n, max: 10n ** 60n }),
      (a, b) => {
        expect(evaluate(`(${a})*${b}-${b}`)).toEqual({ ok: true, value: String(a * b - b) });
      },
    ),
  );
});

test("an expression of the greatest numbers is given up before it holds everybody up", () => {
  // Each step looks for a common factor of two numbers of 16,000 bits, which have none.
  const large = "3^8000/7^5600";
  const slow = `${large}${"*2/3*3/2".repeat(110)}`;
  const beganMs = performance.now();
  expect(evaluate(slow)).toEqual({ ok: false, error: expect.stringContaining("takes too long") as string });
  expect(performance.now() - beganMs).toBeLessThan(5000);
  expect(evaluate(large).ok).toBe(true);
  expect(evaluate(`2${"*1.0001".repeat(140)}`).ok).toBe(true);
  expect(evaluate(`7^5000${"+7^5000".repeat(100)}`).ok).toBe(true);
});
