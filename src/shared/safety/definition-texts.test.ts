import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { screenWith } from "./definition-texts.ts";
import { safetyPolicySchema } from "./safety-policy.ts";

const masking = safetyPolicySchema.parse({ input: { action: "mask" }, when_slow: "closed" });

async function masked<D>(definitions: D): Promise<D> {
  const screened = await screenWith([{ role: "user", content: "Hi" }], definitions, masking, {});
  if (screened.kind === "refused") throw new Error("a mask refuses nothing");
  return screened.definitions;
}

const email = "[e-mail address]";

test("two members of a schema that are masked to the same text stay two, and `required` calls each as it is called now", async () => {
  const schema = {
    type: "object",
    properties: { "a@b.co": { type: "string" }, "c@d.co": { type: "number" }, city: {} },
    required: ["c@d.co", "a@b.co", "city"],
  };
  expect(await masked([{ parameters: schema }])).toEqual([
    {
      parameters: {
        type: "object",
        properties: { [email]: { type: "string" }, [`${email} (2)`]: { type: "number" }, city: {} },
        required: [`${email} (2)`, email, "city"],
      },
    },
  ]);
});

test("a member that the client itself called like a mask keeps its name", async () => {
  const properties = { "a@b.co": { type: "string" }, [email]: { type: "number" } };
  expect(await masked({ properties })).toEqual({
    properties: { [`${email} (2)`]: { type: "string" }, [email]: { type: "number" } },
  });
});

test("a schema with twice as many members of the same mask costs some twice as many look-ups, not four times", async () => {
  const has = vi.spyOn(Set.prototype, "has");
  const lookUps = async (members: number): Promise<number> => {
    const names = Array.from({ length: members }, (_, at) => `u${at}@b.co`);
    has.mockClear();
    const { properties } = await masked({ properties: Object.fromEntries(names.map((one) => [one, {}])) });
    expect(Object.keys(properties)).toHaveLength(members);
    return has.mock.calls.length;
  };
  const some = await lookUps(200);
  expect(await lookUps(400)).toBeLessThan(3 * some);
  has.mockRestore();
});

test("whatever its members are called, a schema has as many after masking, and no address among them", async () => {
  const name = fc.oneof(
    fc.integer({ min: 1, max: 9 }).map((at) => `user${at}@mail.example.com`),
    fc.constantFrom(email, `${email} (2)`, "city", "zip code"),
  );
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 9 }), async (names) => {
      const properties = Object.fromEntries(names.map((one, at) => [one, { const: at }]));
      const { properties: after, required } = await masked({ properties, required: names });
      expect(Object.values(after)).toEqual(Object.values(properties));
      expect(required).toEqual(Object.keys(after));
      expect(JSON.stringify(after)).not.toContain("@");
    }),
  );
});
