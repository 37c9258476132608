/** What can be wrong with a body: values, keys and structure that do not belong, and text that is no JSON. */
import * as fc from "fast-check";

const oddValues = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, -1, 0, 1e308, 2 ** 63, 0.5, "", [], {}, [[]], [null]),
  fc.constantFrom<unknown>("\ud800", "cut \udc00", "\u0000", "<|eot_id|>", "../../etc/passwd", "__proto__"),
  fc.constantFrom<unknown>(
    ["a", 1, null],
    { type: "object" },
    { role: "user" },
    { type: "custom" },
    { type: "file" },
  ),
  fc.integer({ min: 10, max: 200 }).map((depth) => nested(depth)),
  fc.integer({ min: 100, max: 3000 }).map((length) => "x".repeat(length)),
  fc.integer({ min: 50, max: 3000 }).map((length) => Array.from({ length }, () => 1)),
  fc.jsonValue(),
);
const oddKeys = fc.oneof(
  fc.constantFrom(
    "__proto__",
    "constructor",
    "toString",
    "",
    "a.b",
    "[0]",
    "cache_salt",
    "priority",
    "n",
    "stop",
  ),
  fc.constantFrom(
    "request_id",
    "kv_transfer_params",
    "chat_template",
    "functions",
    "echo",
    "prompt_logprobs",
  ),
  fc.string({ maxLength: 12 }),
);

/**
 * One to three things done to a valid body: a value replaced, a key or item taken out, or an odd one put in.
 *
 * @param structured its fields that hold more than a value
 */
export function brokenValue(
  valid: fc.Arbitrary<Record<string, unknown>>,
  structured: readonly string[] = ["messages", "messages", "tools", "response_format"],
): fc.Arbitrary<unknown> {
  const deed = fc.record({
    // Most fields are at the top; half of the deeds go where the structure is.
    inside: fc.constantFrom(...structured.map(() => undefined), ...structured),
    at: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 6 }),
    how: fc.constantFrom("replace", "remove", "insert", "wrap", "swap"),
    value: oddValues,
    key: oddKeys,
  });
  return fc.tuple(valid, fc.array(deed, { minLength: 1, maxLength: 3 })).map(([body, deeds]) => {
    const root = { body: JSON.parse(JSON.stringify(body)) as unknown };
    for (const { inside, at, how, value, key } of deeds)
      // A copy: what one deed put in, the next may change, and constants are shared by all bodies.
      breakAt(root, inside === undefined ? at : [inside, ...at], how, structuredClone(value), key);
    return root.body;
  });
}

type Container = Record<string, unknown>;

function breakAt(
  root: Container,
  path: readonly (string | number)[],
  how: string,
  value: unknown,
  key: string,
): void {
  let parent: Container = root;
  let last = "body";
  for (const step of path) {
    const here = parent[last];
    if (typeof here !== "object" || here === null) break;
    const keys = Object.keys(here);
    const chosen = typeof step === "number" ? keys[step % Math.max(1, keys.length)] : step;
    if (chosen === undefined) break;
    parent = here as Container;
    last = chosen;
  }
  switch (how) {
    case "remove":
      if (Array.isArray(parent)) parent.splice(Number(last), 1);
      else if (parent !== root) Reflect.deleteProperty(parent, last);
      return;
    case "insert":
      if (Array.isArray(parent)) parent.splice(Number(last), 0, value);
      else Object.defineProperty(parent, parent === root ? "body" : key, own(value));
      return;
    case "wrap":
      parent[last] = [parent[last]];
      return;
    case "swap":
      parent[last] =
        typeof parent[last] === "string" ? { value: parent[last] } : JSON.stringify(parent[last] ?? null);
      return;
    default:
      Object.defineProperty(parent, last, own(value));
  }
}

/** Also a key named __proto__ becomes an own one, as JSON.parse makes it. */
function own(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}

/** Text that was JSON: cut, spoilt, doubled, or never JSON at all. */
export function brokenText(json: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    fc.tuple(json, fc.nat({ max: 400 })).map(([body, end]) => body.slice(0, end)),
    fc
      .tuple(json, fc.nat({ max: 400 }), fc.string({ maxLength: 3 }))
      .map(([body, at, odd]) => body.slice(0, at) + odd + body.slice(at + 1)),
    json.map((body) => body.replace(/^\{/, '{"model":5,"messages":[],"__proto__":{"stream":true},')),
    json.map((body) => `\ufeff${body}`),
    fc.constantFrom(
      "",
      " ",
      "null",
      "[]",
      "{}",
      "NaN",
      "{'a':1}",
      "[".repeat(50_000),
      '{"a":'.repeat(10_000),
    ),
    fc.string({ maxLength: 50 }),
  );
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { items: value };
  return value;
}
