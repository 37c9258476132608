/**
 * What does an arithmetic expression come to? A Pratt parser that computes as it reads, in exact fractions. Nothing of a text
 * is ever run as code, no name but the few below means anything, and every step is bounded: length, depth, and the size of
 * each number (rational.ts).
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import {
  add,
  compare,
  divide,
  floor,
  multiply,
  negate,
  power,
  type Rational,
  remainder,
  rootNear,
  round,
  squareRoot,
  whole,
  written,
} from "./rational.ts";
import { mostWork, workOf, workOn } from "./work.ts";

export const calculatorLimits = {
  characters: 1000,
  /** Parentheses, signs and functions inside of each other. */
  depth: 64,
  /** Of a literal's power of ten. */
  exponent: 4000,
} as const;

/** @returns the value as text; the error: what is wrong, in words that a model can mend it by */
export function evaluate(expression: string): Result<string, string> {
  if (expression.length > calculatorLimits.characters)
    return err(`it is longer than ${calculatorLimits.characters} characters`);
  try {
    const { value, isExact } = new Evaluation(expression).whole();
    return ok(isExact ? written(value) : `about ${written(value)}`);
  } catch (error) {
    if (error instanceof WrongExpression) return err(error.message);
    throw error;
  }
}

/** Never leaves this file: how a recursive descent gives up. */
class WrongExpression extends Error {}

interface Value {
  readonly value: Rational;
  /** A root that has no exact value went into it. */
  readonly isExact: boolean;
}

const token =
  /\s*(?:(?<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z]+)|(?<sign>\*\*|[-+*/^%(),!×÷·−√]))/y;

// Maps: what is looked up in them comes from outside, and objects have names of their own (`constructor`).
const sameSigns = new Map([
  ["×", "*"],
  ["·", "*"],
  ["÷", "/"],
  ["−", "-"],
  ["**", "^"],
]);

/** How tightly an operator binds on its left; on its right by the same, `^` by less, since it is read from the right. */
const binding = new Map([
  ["+", 10],
  ["-", 10],
  ["*", 20],
  ["/", 20],
  ["%", 20],
  ["^", 40],
]);
/** A sign binds less than `^` and more than the rest: -2^2 is -4. */
const signBinding = 30;

const rootDigits = 15;

class Evaluation {
  readonly #tokens: readonly string[];
  #at = 0;
  #depth = 0;
  #work = 0;

  constructor(expression: string) {
    this.#tokens = tokensOf(expression);
    if (this.#tokens.length === 0) throw new WrongExpression("it is empty");
  }

  whole(): Value {
    const value = this.#expression(0);
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new WrongExpression(`'${rest}' is not expected where it stands`);
    return value;
  }

  #expression(least: number): Value {
    this.#depth += 1;
    if (this.#depth > calculatorLimits.depth) throw new WrongExpression("it is nested too deeply");
    let left = this.#operand();
    for (;;) {
      const sign = this.#tokens[this.#at] ?? "";
      if (sign === "%" && this.#isPercent()) {
        this.#at += 1;
        this.#spend(workOf("/", left.value, whole(100n)));
        left = combined(left, exact(whole(100n)), divide, "the number is too large");
        continue;
      }
      const binds = binding.get(sign);
      if (binds === undefined || binds < least) break;
      this.#at += 1;
      const right = this.#expression(sign === "^" ? signBinding : binds + 1);
      this.#spend(workOf(sign, left.value, right.value));
      left = operation(sign, left, right);
    }
    this.#depth -= 1;
    return left;
  }

  /** `50%` is a share; `50 % 7` is a remainder: it is one where an operand follows. */
  #isPercent(): boolean {
    const next = this.#tokens[this.#at + 1];
    return next === undefined || next === ")" || next === "," || binding.has(next);
  }

  #operand(): Value {
    const next = this.#tokens[this.#at];
    if (next === undefined) throw new WrongExpression("it ends where a number is expected");
    this.#at += 1;
    if (/^[\d.]/.test(next)) return exact(numberOf(next));
    if (next === "-" || next === "+") {
      const { value, isExact } = this.#expression(signBinding);
      return { value: next === "-" ? negate(value) : value, isExact };
    }
    if (next === "√") {
      const under = this.#expression(signBinding + 1);
      this.#spend(workOn(under.value));
      return root(under);
    }
    if (next === "(") {
      const inner = this.#expression(0);
      this.#expect(")");
      return inner;
    }
    if (/^[a-z]/i.test(next)) return this.#call(next.toLowerCase());
    throw new WrongExpression(`'${next}' is not expected where it stands`);
  }

  #call(name: string): Value {
    const called = functions.get(name);
    if (called === undefined)
      throw new WrongExpression(
        `'${name.slice(0, 32)}' is unknown; there are ${[...functions.keys()].join(", ")}`,
      );
    this.#expect("(");
    const values = [this.#expression(0)];
    while (this.#tokens[this.#at] === ",") {
      this.#at += 1;
      values.push(this.#expression(0));
    }
    this.#expect(")");
    for (const { value } of values) this.#spend(workOn(value));
    return called(values);
  }

  /** Before it is done. */
  #spend(work: number): void {
    this.#work += work;
    if (this.#work > mostWork) throw new WrongExpression("it takes too long to compute: use shorter numbers");
  }

  #expect(sign: string): void {
    if (this.#tokens[this.#at] !== sign) throw new WrongExpression(`'${sign}' is missing`);
    this.#at += 1;
  }
}

type Called = (values: readonly Value[]) => Value;

const functions: ReadonlyMap<string, Called> = new Map<string, Called>([
  ["sqrt", (values) => root(only(values))],
  ["abs", (values) => mapped(only(values), (value) => (value.numerator < 0n ? negate(value) : value))],
  ["floor", (values) => mapped(only(values), floor)],
  ["ceil", (values) => mapped(only(values), (value) => negate(floor(negate(value))))],
  ["round", rounded],
  ["min", (values) => values.reduce((least, one) => (compare(one.value, least.value) < 0 ? one : least))],
  ["max", (values) => values.reduce((most, one) => (compare(one.value, most.value) > 0 ? one : most))],
]);

function mapped({ value, isExact }: Value, change: (value: Rational) => Rational): Value {
  return { value: change(value), isExact };
}

function rounded([value, digits = exact(whole(0n)), ...more]: readonly Value[]): Value {
  if (value === undefined || more.length > 0) throw new WrongExpression("round takes one or two numbers");
  const { numerator, denominator } = digits.value;
  if (denominator !== 1n || numerator > 100n || numerator < -100n)
    throw new WrongExpression("round takes -100 to 100 whole digits");
  return { ...value, value: needed(round(value.value, Number(numerator)), "the number is too large") };
}

function operation(sign: string, left: Value, right: Value): Value {
  switch (sign) {
    case "+":
      return combined(left, right, add, "the number is too large");
    case "-":
      return combined(left, { ...right, value: negate(right.value) }, add, "the number is too large");
    case "*":
      return combined(left, right, multiply, "the number is too large");
    case "^":
      return combined(left, right, power, "the power is too large, or not a whole one");
    default:
      if (right.value.numerator === 0n) throw new WrongExpression("it divides by zero");
      return combined(left, right, sign === "/" ? divide : remainder, "the number is too large");
  }
}

function combined(
  left: Value,
  right: Value,
  combine: (left: Rational, right: Rational) => Rational | null,
  otherwise: string,
): Value {
  return {
    value: needed(combine(left.value, right.value), otherwise),
    isExact: left.isExact && right.isExact,
  };
}

function root({ value, isExact }: Value): Value {
  if (value.numerator < 0n) throw new WrongExpression("a negative number has no square root");
  const found = squareRoot(value);
  if (found !== null) return { value: found, isExact };
  return { value: needed(rootNear(value, rootDigits), "the number is too large"), isExact: false };
}

function only(values: readonly Value[]): Value {
  const [value, ...more] = values;
  if (value === undefined || more.length > 0) throw new WrongExpression("the function takes one number");
  return value;
}

function exact(value: Rational): Value {
  return { value, isExact: true };
}

function needed(value: Rational | null, otherwise: string): Rational {
  if (value === null) throw new WrongExpression(otherwise);
  return value;
}

function numberOf(literal: string): Rational {
  const [mantissa = "", exponent = "0"] = literal.toLowerCase().split("e");
  const [front = "", behind = ""] = mantissa.split(".");
  const places = Number(exponent) - behind.length;
  if (Math.abs(places) > calculatorLimits.exponent) throw new WrongExpression("the number is too large");
  const scale = needed(power(whole(10n), whole(BigInt(places))), "the number is too large");
  return needed(multiply(whole(BigInt(front + behind)), scale), "the number is too large");
}

function tokensOf(expression: string): string[] {
  const text = expression.trimEnd();
  const found: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const groups = token.exec(text)?.groups;
    const one = groups?.["number"] ?? groups?.["name"] ?? groups?.["sign"];
    if (one === undefined) throw new WrongExpression(`the character at ${at} means nothing here`);
    found.push(sameSigns.get(one) ?? one);
  }
  return found;
}
