import { expect, test } from "vitest";
import { KeptNote } from "./kept-note.ts";
import { noUsage } from "./round-history.ts";
import { readNote } from "./run-note.ts";

test("a run's note holds who answers, and its rounds once there are some", () => {
  const remembered: string[] = [];
  const note = new KeptNote({ remember: (text) => void remembered.push(text), keep: () => undefined });
  note.keep();
  expect(remembered).toEqual([]);
  note.who = { model: "m", cluster: "c", replica: "r", entered: null };
  note.keep();
  expect(readNote(remembered.at(-1) ?? null)).toEqual(note.who);
  note.rounds = { prior: noUsage, told: { c1: "21" }, sources: [] };
  note.keep();
  expect(readNote(remembered.at(-1) ?? null)).toEqual({ ...note.who, rounds: note.rounds });
});
