import { expect, test } from "vitest";
import { type KeptVector, ScopeMemory } from "./scope-memory.ts";

function vector(sequence: number): KeptVector {
  return {
    sequence,
    answerKey: `a${sequence}`,
    expiresMs: 1,
    packed: { bytes: new Uint8Array(1), scale: 1 },
  };
}

test("a scope that holds nothing is not remembered, however many are asked about", () => {
  const memory = new ScopeMemory();
  for (let at = 0; at < 1000; at += 1) memory.of(`scope ${at}`, () => []);
  expect(memory.size).toBe(0);
  expect(memory.of("scope", () => [vector(1)])).toHaveLength(1);
  expect(memory.size).toBe(1);
  memory.remove([{ scope: "scope", sequence: 1 }]);
  expect(memory.size).toBe(0);
  expect(memory.of("scope", () => [])).toEqual([]);
});
