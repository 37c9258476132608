/** Behind each end-to-end test that failed: what its pages showed, and what its products printed last. */
import { afterEach } from "vitest";
import { closeOpen, lastWords } from "./last-words.ts";

afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  // oxlint-disable-next-line no-console -- who reads of the failure has nothing but the log
  console.error(`${task.name}\n${await lastWords()}`);
  await closeOpen();
});
