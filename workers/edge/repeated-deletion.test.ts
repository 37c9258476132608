import { expect, test } from "vitest";
import { callObject } from "../../durable-objects/storage/call-object.ts";
import { repeatedDeletion } from "./repeated-deletion.ts";

const lost = Object.assign(new Error("the object was moved"), { retryable: true });

/** One thing, which is there until it is taken away. */
function world(fails: "before" | "after" | "never") {
  let isThere = true;
  let tries = 0;
  const take = async () => {
    tries += 1;
    if (fails === "before" && tries === 1) throw lost;
    const result = isThere ? "deleted" : "unknown";
    isThere = false;
    if (fails === "after" && tries === 1) throw lost;
    return { result };
  };
  const ask = repeatedDeletion(take, async () => ({ result: "deleted" }));
  return async () => {
    const called = await callObject(async () => ask());
    return called.ok ? called.value.result : called.error.kind;
  };
}

test("a deletion whose answer was lost is answered as one", async () => {
  for (const fails of ["before", "after", "never"] as const) expect(await world(fails)()).toBe("deleted");
});

test("what was gone before the first try is not there", async () => {
  const ask = repeatedDeletion(
    async () => ({ result: "unknown" }),
    async () => ({ result: "deleted" }),
  );
  expect(await ask()).toEqual({ result: "unknown" });
});
