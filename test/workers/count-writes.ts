/** Counts what a method of the platform's interfaces writes, whoever of our code calls it, until the mocks are restored. */
import { vi } from "vitest";

/**
 * @param of an object of the platform's, such as `storage.kv`
 * @param written tells of a call by what it returned
 */
export function countWrites(of: object, method: string, written: (result: unknown) => void): void {
  const prototype = Object.getPrototypeOf(of) as Record<string, (...given: unknown[]) => unknown>;
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== "function") throw new Error(`no ${method}`);
  vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...given: unknown[]) {
    const result: unknown = Reflect.apply(original, this, given);
    written(result);
    return result;
  });
}
