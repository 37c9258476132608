/** Exact fractions of whole numbers of any length up to a limit, past which an operation is refused instead of carried out. */
export interface Rational {
  readonly numerator: bigint;
  /** Over 0, without a common factor with the numerator. */
  readonly denominator: bigint;
}

/** Bits of a numerator or a denominator: some 4,900 digits, which multiply in microseconds. */
const maxBits = 16_384;

/** `null` where a number would be over `maxBits`, or is none (a division by 0). */
export type Checked = Rational | null;

export function whole(value: bigint): Rational {
  return { numerator: value, denominator: 1n };
}

export function add(left: Rational, right: Rational): Checked {
  return reduced(
    left.numerator * right.denominator + right.numerator * left.denominator,
    left.denominator * right.denominator,
  );
}

export function negate({ numerator, denominator }: Rational): Rational {
  return { numerator: -numerator, denominator };
}

export function multiply(left: Rational, right: Rational): Checked {
  return reduced(left.numerator * right.numerator, left.denominator * right.denominator);
}

export function divide(left: Rational, right: Rational): Checked {
  return reduced(left.numerator * right.denominator, left.denominator * right.numerator);
}

/** As of numbers on paper: the sign of the result is the divisor's. */
export function remainder(left: Rational, right: Rational): Checked {
  const quotient = divide(left, right);
  if (quotient === null) return null;
  const taken = multiply(floor(quotient), right);
  return taken === null ? null : add(left, negate(taken));
}

/** Whole exponents only: any other has no exact value in general. */
export function power(base: Rational, exponent: Rational): Checked {
  if (exponent.denominator !== 1n) return null;
  const times = magnitude(exponent.numerator);
  const { numerator, denominator } = exponent.numerator < 0n ? inverted(base) : base;
  if (denominator === 0n) return null;
  const isTrivial = denominator === 1n && magnitude(numerator) < 2n;
  const longest = Math.max(bitsOf(numerator), bitsOf(denominator));
  if (!isTrivial && times * BigInt(longest) > BigInt(2 * maxBits)) return null;
  // Of 1, -1 and 0 only whether the exponent is even counts.
  const effective = isTrivial && times > 0n ? 2n - (times % 2n) : times;
  return reduced(numerator ** effective, denominator ** effective);
}

/** Exact, where there is an exact one; else `null`. */
export function squareRoot({ numerator, denominator }: Rational): Checked {
  if (numerator < 0n) return null;
  const over = wholeRoot(numerator);
  const under = wholeRoot(denominator);
  return over * over === numerator && under * under === denominator
    ? { numerator: over, denominator: under }
    : null;
}

/** The square root to so many digits behind the point, cut off. Of nothing negative. */
export function rootNear({ numerator, denominator }: Rational, digits: number): Checked {
  if (numerator < 0n) return null;
  const scale = 10n ** BigInt(digits);
  return reduced(wholeRoot((numerator * scale * scale) / denominator), scale);
}

export function floor({ numerator, denominator }: Rational): Rational {
  const quotient = numerator / denominator;
  return whole(numerator < 0n && quotient * denominator !== numerator ? quotient - 1n : quotient);
}

/** To the nearest; a half goes away from 0, as people do it. */
export function round(value: Rational, digits: number): Checked {
  const scale = power(whole(10n), whole(BigInt(digits)));
  const scaled = scale === null ? null : multiply(value, scale);
  if (scale === null || scaled === null) return null;
  const isNegative = scaled.numerator < 0n;
  const half = add(isNegative ? negate(scaled) : scaled, { numerator: 1n, denominator: 2n });
  if (half === null) return null;
  const rounded = floor(half);
  return divide(isNegative ? negate(rounded) : rounded, scale);
}

export function compare(left: Rational, right: Rational): number {
  const difference = left.numerator * right.denominator - right.numerator * left.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Decimals where they end, else the fraction with its first digits behind it: `1/3 (about 0.333333333333)`. */
export function written(value: Rational): string {
  const { numerator, denominator } = value;
  if (denominator === 1n) return String(numerator);
  const places = decimalPlaces(denominator);
  if (places !== null) return decimal(value, places);
  return `${numerator}/${denominator} (about ${decimal(value, shownDigits)})`;
}

const shownDigits = 12;
/** More decimals than this are a fraction's business. */
const mostPlaces = 400;

/** How many decimals a fraction with this denominator has; `null`: they never end, or there are too many. */
function decimalPlaces(denominator: bigint): number | null {
  let rest = denominator;
  let twos = 0;
  let fives = 0;
  for (; rest % 2n === 0n; rest /= 2n) twos += 1;
  for (; rest % 5n === 0n; rest /= 5n) fives += 1;
  const places = Math.max(twos, fives);
  return rest === 1n && places <= mostPlaces ? places : null;
}

function decimal({ numerator, denominator }: Rational, places: number): string {
  const digits = String((magnitude(numerator) * 10n ** BigInt(places)) / denominator).padStart(
    places + 1,
    "0",
  );
  return `${numerator < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function reduced(numerator: bigint, denominator: bigint): Checked {
  if (denominator === 0n) return null;
  if (bitsOf(numerator) > 2 * maxBits || bitsOf(denominator) > 2 * maxBits) return null;
  const factor = commonFactor(magnitude(numerator), magnitude(denominator));
  const sign = denominator < 0n ? -1n : 1n;
  const over = (sign * numerator) / factor;
  const under = (sign * denominator) / factor;
  return bitsOf(over) > maxBits || bitsOf(under) > maxBits ? null : { numerator: over, denominator: under };
}

function inverted({ numerator, denominator }: Rational): Rational {
  return { numerator: denominator, denominator: numerator };
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function bitsOf(value: bigint): number {
  return magnitude(value).toString(16).length * 4;
}

function commonFactor(left: bigint, right: bigint): bigint {
  let [larger, smaller] = [left, right];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

/** Newton's way, from above. */
function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
