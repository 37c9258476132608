import * as fc from "fast-check";
import { expect, test } from "vitest";
import { affinityKeys, seedOf, type AffinityMessage } from "./affinity.ts";
import { KeyHeat } from "./key-heat.ts";
import { homeKeyOf } from "./choose.ts";
import { rendezvous } from "./rendezvous.ts";

const seed = seedOf("a tenant's salt");
const system: AffinityMessage = { role: "system", content: "You are terse." };
const user = (content: string): AffinityMessage => ({ role: "user", content });
const assistant = (content: string): AffinityMessage => ({ role: "assistant", content });

function conversationKey(messages: readonly AffinityMessage[], salt = seed): number | undefined {
  const { keys, conversationAt } = affinityKeys(messages, salt);
  return keys[conversationAt];
}

test("every turn of a chat has the key of its first, whatever was said since", () => {
  const text = fc.string({ maxLength: 6000 });
  fc.assert(
    fc.property(text, text, fc.array(fc.tuple(text, text), { maxLength: 4 }), (first, answer, turns) => {
      const opening = [system, user(first)];
      const later = [
        ...opening,
        assistant(answer),
        ...turns.flatMap(([asked, said]) => [user(asked), assistant(said)]),
        user("and now?"),
      ];
      expect(conversationKey(later)).toBe(conversationKey(opening));
    }),
  );
});

test("prompts that begin alike share the keys of that beginning, and short ones no other", () => {
  const document = "A long report. ".repeat(1200);
  const one = affinityKeys([user(`${document} What is it about?`)], seed);
  const other = affinityKeys([user(`${document} Who wrote it?`)], seed);
  expect(one.keys).toHaveLength(3);
  expect(one.keys.slice(0, 2)).toEqual(other.keys.slice(0, 2));
  expect(conversationKey([user("What is it about?")])).not.toBe(conversationKey([user("Who wrote it?")]));
});

test("a key tells the roles, the borders of messages and the tenants apart", () => {
  const keys = [
    conversationKey([user("ab"), user("c")]),
    conversationKey([user("a"), user("bc")]),
    conversationKey([user("abc")]),
    conversationKey([{ role: "system", content: "abc" }]),
    conversationKey([user("abc")], seedOf("another tenant's salt")),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test("parts count by their text, and what is no text by its kind", () => {
  const parts = (text: string, type: string) =>
    conversationKey([{ role: "user", content: [{ type: "text", text }, { type }] }]);
  expect(parts("look", "image_url")).toBe(parts("look", "image_url"));
  expect(parts("look", "image_url")).not.toBe(parts("look", "input_audio"));
  expect(conversationKey([{ role: "user", content: null }])).toBeDefined();
});

test("short questions behind one long system prompt are told apart, wherever they stand", () => {
  const lengths = [10, 900, 1100, 1500, 3000, 9000, 40_000];
  for (const length of lengths) {
    const long: AffinityMessage = { role: "system", content: "x".repeat(length) };
    const keys = Array.from({ length: 50 }, (_, at) => conversationKey([long, user(`Question ${at}?`)]));
    expect(new Set(keys).size).toBe(50);
  }
});

test("a prompt of a million characters has four keys, and each is a whole number that JSON carries", () => {
  const { keys, conversationAt } = affinityKeys([system, user("word ".repeat(200_000))], seed);
  expect(keys).toHaveLength(4);
  expect(conversationAt).toBe(3);
  for (const key of keys) expect(Number.isInteger(key) && key >= 0 && key < 2 ** 32).toBe(true);
});

test("keys find homes evenly: no replica of 16 has more than 1.25 times its share of 20,000 chats", () => {
  const seeds = Array.from({ length: 16 }, (_, at) => seedOf(`cluster r${at}`));
  const counts = new Map<number, number>();
  for (let chat = 0; chat < 20_000; chat += 1) {
    const key = conversationKey([system, user(`Question ${chat}`)]) ?? 0;
    const wishes = seeds.map((replica) => rendezvous(key, replica));
    const home = wishes.indexOf(Math.max(...wishes));
    counts.set(home, (counts.get(home) ?? 0) + 1);
  }
  expect(counts.size).toBe(16);
  expect(Math.max(...counts.values())).toBeLessThan(1.25 * (20_000 / 16));
});

test("when a replica leaves, only its own keys find another home", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 2, max: 20 }), (key, count) => {
      const wishes = Array.from({ length: count }, (_, at) => rendezvous(key, seedOf(`r${at}`)));
      const home = wishes.indexOf(Math.max(...wishes));
      const gone = (home + 1) % count;
      const left = wishes.map((wish, at) => (at === gone ? -1 : wish));
      expect(left.indexOf(Math.max(...left))).toBe(home);
    }),
  );
});

test("a replica of twice the weight is home to twice as many", () => {
  let heavy = 0;
  for (let key = 0; key < 30_000; key += 1)
    if (rendezvous(key * 7919, 17, 2) > rendezvous(key * 7919, 23)) heavy += 1;
  expect(heavy / 30_000).toBeCloseTo(2 / 3, 1);
});

test("a beginning that everybody has is no one's home: the conversation's own key is taken", () => {
  const heat = new KeyHeat();
  const shared = 1;
  const homes = Array.from({ length: 100 }, (_, at) =>
    homeKeyOf({ keys: [shared, 1000 + at], conversationAt: 1 }, heat, 8),
  );
  expect(homes.slice(0, 5)).toEqual([shared, shared, shared, shared, shared]);
  expect(homes.slice(20)).toEqual(Array.from({ length: 80 }, (_, at) => 1020 + at));
  const seldom = 2;
  expect(homeKeyOf({ keys: [seldom, 5000], conversationAt: 1 }, heat, 8)).toBe(seldom);
});

test("keys that were seen once are forgotten before memory grows, and hot ones are not", () => {
  const heat = new KeyHeat();
  for (let at = 0; at < 50_000; at += 1) heat.saw([7, 1000 + at]);
  expect(heat.isHot(7, 0.5)).toBe(true);
  expect(heat.isHot(50_999, 0)).toBe(false);
});
