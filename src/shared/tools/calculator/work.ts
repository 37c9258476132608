/**
 * How expensive will an operation be? What takes long is the common factor of a result's numerator and denominator: as many steps as the
 * shorter one has bits, each as long as the longer one. 200 million of these are 20 ms of an idle core.
 */
import { bitsOf, type Rational } from "./rational.ts";

/** Of all operations of an expression together: nothing else runs in an isolate meanwhile, and no time-out can stop them. */
export const mostWork = 1_000_000_000;

export function workOf(sign: string, left: Rational, right: Rational): number {
  const [over, under, otherOver, otherUnder] = [
    bitsOf(left.numerator),
    bitsUnder(left),
    bitsOf(right.numerator),
    bitsUnder(right),
  ];
  switch (sign) {
    case "*":
      return factoring(over + otherOver, under + otherUnder);
    case "/":
      return factoring(over + otherUnder, under + otherOver);
    case "%":
      return 3 * factoring(over + otherUnder, under + otherOver);
    case "^": {
      // One with an exponent that is too large is not done.
      const times = Math.min(Number(right.numerator), 100_000);
      return factoring(Math.abs(times) * over, Math.abs(times) * under);
    }
    default:
      return factoring(Math.max(over + otherUnder, otherOver + under), under + otherUnder);
  }
}

/** Of one number that is rounded, cut off or has its root taken. */
export function workOn(value: Rational): number {
  return 3 * factoring(bitsOf(value.numerator) + spareBits, bitsUnder(value) + spareBits);
}

/** Of 100 digits, which rounding may add, and of a root's. */
const spareBits = 400;

function factoring(numeratorBits: number, denominatorBits: number): number {
  const longer = Math.max(numeratorBits, denominatorBits);
  return longer * Math.max(1, Math.min(numeratorBits, denominatorBits));
}

/** A whole number's denominator has nothing in common with anything. */
function bitsUnder({ denominator }: Rational): number {
  return denominator === 1n ? 0 : bitsOf(denominator);
}
