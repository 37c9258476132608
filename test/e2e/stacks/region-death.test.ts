/** A region dies while clients keep asking, then comes back while the other one dies: over real HTTP, on the dev fleet, nobody sees it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataOf, tokenFor } from "../callers.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

const regions = [
  [0, 1],
  [2, 3],
] as const;

describe.each(["in-process", "service"] as const)("the router %s", (router) => {
  let world: ServeWorld;
  beforeAll(async () => {
    world = await startServeWorld({ router });
  });
  afterAll(() => world.stop());

  test("each region in turn dies under forty requests, and every one has its whole answer", async () => {
    const token = await tokenFor();
    const answers: Promise<string>[] = [];
    const ask = async (at: number): Promise<string> => {
      const messages = [{ role: "user", content: `Question ${at}` }];
      const response = await world.post(token, { model: "auto", messages, stream: true });
      const text = await response.text();
      return response.status === 200 && dataOf(text).at(-1) === "[DONE]" ? "whole" : text;
    };
    for (const dying of regions) {
      for (let at = 0; at < 20; at += 1) answers.push(ask(answers.length));
      for (const [index, replica] of world.fleet.replicas.entries())
        replica.setFaults(
          ...((dying as readonly number[]).includes(index) ? [{ fault: "refuse" as const }] : []),
        );
      for (let at = 0; at < 20; at += 1) answers.push(ask(answers.length));
      expect(await Promise.all(answers)).toEqual(answers.map(() => "whole"));
    }
    for (const replica of world.fleet.replicas) replica.setFaults();
  });
});
