/**
 * Would it be too expensive to check `uniqueItems` on these lists? The validator compares every item with every other, so one list of ten
 * thousand, which a model writes easily, would block everybody's turns for seconds.
 */
import { isRecord } from "../wire/is-record.ts";
import type { JsonObject } from "../wire/json-bounds.ts";

/** Items of a list times the characters of all of them, some ten nanoseconds each: 700 names, or 150 rows of 200 characters. */
const mostWork = 5_000_000;

/** @param value as JSON has it */
export function hasTooManyToCompare(schema: JsonObject, value: JsonObject): boolean {
  // One in an example counts as well: nothing is looked at too seldom.
  const looks = JSON.stringify(schema).match(/"uniqueItems":true/g)?.length ?? 0;
  if (looks === 0) return false;
  let work = 0;
  /** How long it is, near enough. */
  const measure = (part: unknown): number => {
    if (typeof part === "string") return part.length + 2;
    if (!Array.isArray(part) && !isRecord(part)) return 4;
    let length = 2;
    const inside: readonly unknown[] = Array.isArray(part) ? part : Object.values(part);
    for (const one of inside) length += measure(one) + 1;
    if (Array.isArray(part)) work += part.length * length * looks;
    return length;
  };
  measure(value);
  return work > mostWork;
}
