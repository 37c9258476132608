import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chooseRoute, type RouteFacts } from "./choose-route.ts";
import { fleetSchema } from "../fleet/fleet-config.ts";
import { buildFleetIndex } from "../fleet/fleet-index.ts";

function routeOf(alias: object) {
  const fleet = fleetSchema.parse({
    version: "1",
    clusters: [
      {
        id: "c",
        region: "r",
        replicas: [{ id: "a", url: "http://10.0.0.1" }],
        models: ["small", "large", "spare"].map((id) => ({ id, served_name: id, context_window: 8192 })),
      },
    ],
    aliases: { auto: alias },
  });
  const route = buildFleetIndex(fleet).routes.get("auto");
  if (route === undefined) throw new Error("a plain alias");
  return route;
}

function facts(user: string, ask: Partial<NonNullable<RouteFacts["ask"]>> | null = {}): RouteFacts {
  return {
    tenant: "acme",
    user,
    tier: "pro",
    ask: ask && {
      question: () => ({ text: "Hi", earlierMessages: 0, hasMedia: false }),
      estimatePromptTokens: () => 10,
      maxTokens: null,
      tools: false,
      structuredOutput: false,
      ...ask,
    },
  };
}

const ninetyTen = (more: object = {}) =>
  routeOf({
    strategy: "weighted",
    arms: [
      { name: "old", model: "small", weight: 90 },
      { name: "new", model: "large", weight: 10 },
    ],
    ...more,
  });

const users = Array.from({ length: 10_000 }, (_, at) => `user-${at}`);
const armOf = (route: ReturnType<typeof ninetyTen>, user: string) =>
  chooseRoute(route, facts(user)).choice.arm;

test("90/10 over 10,000 users is 90/10 within 1 %, whatever users are called", () => {
  const names: readonly ((at: number) => string)[] = [
    (at) => `user-${at}`,
    (at) => `${at}@example.com`,
    (at) => `auth0|${(at * 2_654_435_761).toString(16)}`,
    (at) => String(at).padStart(12, "0"),
  ];
  for (const name of names) {
    const route = ninetyTen();
    const old = users.filter((_, at) => armOf(route, name(at)) === "old").length;
    expect(Math.abs(old / users.length - 0.9)).toBeLessThan(0.01);
  }
});

test("one user has one arm: at every request, in another isolate, after a restart, with another fleet version", () => {
  const [first, second] = [ninetyTen(), ninetyTen()];
  const before = users.map((user) => armOf(first, user));
  // Nothing is stored: a route that was compiled anew deals out the same.
  expect(users.map((user) => armOf(second, user))).toEqual(before);
  expect(users.map((user) => armOf(first, user))).toEqual(before);
});

test("where a weight changes, only users at its border change arms", () => {
  const shifted = routeOf({
    strategy: "weighted",
    arms: [
      { name: "old", model: "small", weight: 80 },
      { name: "new", model: "large", weight: 20 },
    ],
  });
  const route = ninetyTen();
  const moved = users.filter((user) => armOf(route, user) !== armOf(shifted, user));
  expect(moved.every((user) => armOf(shifted, user) === "new")).toBe(true);
  expect(moved.length / users.length).toBeCloseTo(0.1, 1);
});

test("another experiment, alias or tenant is another draw", () => {
  const [route, again] = [ninetyTen(), ninetyTen({ experiment: "2" })];
  const both = users.filter((user) => armOf(route, user) === "new" && armOf(again, user) === "new");
  // Independent draws: a tenth of a tenth.
  expect(Math.abs(both.length - 100)).toBeLessThan(40);
});

test("an arm of weight 0 gets no user", () => {
  const route = routeOf({
    strategy: "weighted",
    arms: [
      { name: "none", model: "large", weight: 0 },
      { name: "all", model: "small", weight: 1 },
      { name: "last", model: "spare", weight: 0 },
    ],
  });
  fc.assert(fc.property(fc.string(), (user) => armOf(route, user) === "all"));
});

test("a user's arm is tried first, then the other arms, then the fallbacks, each model once", () => {
  const route = ninetyTen({ fallback: ["spare", "small"] });
  const user = users.find((one) => armOf(route, one) === "new") ?? "";
  const { models, choice } = chooseRoute(route, facts(user));
  expect(models.map(({ id }) => id)).toEqual(["large", "small", "spare"]);
  expect(choice).toMatchObject({ alias: "auto", arm: "new", model: "large", reason: "assigned" });
});

const thrifty = (more: object = {}) =>
  routeOf({ strategy: "cost", cheap: "small", strong: "large", ...more });
const hard = "Prove that the square root of 2 is irrational, and explain why the proof fails for 4.";

test("easy requests go to the cheap model, difficult ones to the strong one; each is the other's fallback", () => {
  const easy = chooseRoute(thrifty({ fallback: ["spare"] }), facts("u"));
  expect(easy.models.map(({ id }) => id)).toEqual(["small", "large", "spare"]);
  expect(easy.choice).toMatchObject({ arm: "cheap", reason: "easy" });
  const question = () => ({ text: hard, earlierMessages: 0, hasMedia: false });
  const difficult = chooseRoute(thrifty(), facts("u", { question }));
  expect(difficult.models.map(({ id }) => id)).toEqual(["large", "small"]);
  expect(difficult.choice).toMatchObject({ arm: "strong", reason: "difficult" });
});

test.each([
  ["tools", {}, { tools: true }],
  ["structured-output", { structured_output: true }, { structuredOutput: true }],
  ["long-answer", {}, { maxTokens: 4097 }],
  ["long-prompt", { prompt_tokens_over: 9 }, {}],
  ["tier", { tiers: ["pro"] }, {}],
] as const)("a rule escalates without asking for the score: %s", (reason, escalate, ask) => {
  const question = () => {
    throw new Error("the score was asked for");
  };
  const { choice } = chooseRoute(thrifty({ escalate }), facts("u", { question, ...ask }));
  expect(choice).toMatchObject({ arm: "strong", model: "large", reason });
});

test("a threshold of 0 makes every question difficult, and what is no question is easy", () => {
  expect(chooseRoute(thrifty({ threshold: 0 }), facts("u")).choice.reason).toBe("difficult");
  expect(chooseRoute(thrifty({ threshold: 0 }), facts("u", null)).choice.reason).toBe("easy");
});

test("plain aliases have no route: nothing is done for them", () => {
  expect(() => routeOf({ models: ["small", "large"] })).toThrow("a plain alias");
  expect(() => routeOf({ strategy: "fixed", model: "small" })).toThrow("a plain alias");
  const shadowed = routeOf({ models: ["small", "large"], shadow: { model: "spare", share: 0.1 } });
  expect(chooseRoute(shadowed, facts("u"))).toMatchObject({
    models: [{ id: "small" }, { id: "large" }],
    choice: { arm: null, reason: "first", shadow: { share: 0.1 } },
  });
});
