import { expect, test } from "vitest";
import { OutputTurns } from "./output-turns.ts";

function printed() {
  const out: string[] = [];
  const turns = new OutputTurns((to, bytes) => out.push(`${to}: ${new TextDecoder().decode(bytes)}`));
  return { out, turns };
}
const bytes = (text: string) => new TextEncoder().encode(text);

test("the first job is printed as it speaks, the second when the first has ended", () => {
  const { out, turns } = printed();
  const first = turns.begin();
  const second = turns.begin();
  second.write("stdout", bytes("b1"));
  first.write("stdout", bytes("a1"));
  second.line("b2");
  first.write("stderr", bytes("a2"));
  expect(out).toEqual(["stdout: a1", "stderr: a2"]);
  first.end();
  second.write("stdout", bytes("b3"));
  expect(out.slice(2)).toEqual(["stdout: b1", "stderr: b2\n", "stdout: b3"]);
});

test("a job that ended before its turn is printed whole, and whoever comes behind it is printed at once", () => {
  const { out, turns } = printed();
  const first = turns.begin();
  const second = turns.begin();
  second.write("stdout", bytes("b"));
  second.end();
  const third = turns.begin();
  third.write("stdout", bytes("c1"));
  expect(out).toEqual([]);
  first.end();
  third.write("stdout", bytes("c2"));
  expect(out).toEqual(["stdout: b", "stdout: c1", "stdout: c2"]);
});
