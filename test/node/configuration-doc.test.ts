import { readFileSync } from "node:fs";
import * as z from "zod";
import { describe, expect, test } from "vitest";
import { platformFirewallSchema } from "../../src/shared/firewall/firewall-policy.ts";
import { resolveLimits } from "../../src/shared/limits/defaults.ts";
import { tierSchema } from "../../src/shared/limits/tier.ts";
import { fleetSchema } from "../../src/shared/routing/fleet/fleet-config.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { checkTenantConfig } from "../../src/shared/tenancy/tenant-entries.ts";

/** docs/configuration.md and the schemas can't drift apart: same fields, same defaults, and its example is valid. */
const page = read("docs/configuration.md");

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

/** First and second column of the table after `<!-- marker -->`. */
function table(marker: string): Map<string, string> {
  const [, after = ""] = page.split(`<!-- ${marker} -->\n`);
  const lines = after.split("\n").slice(2);
  const rows = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith("|")),
  );
  return new Map(
    rows.map((row) => {
      const [, name = "", second = ""] = row.split(" | ").join("|").split("|");
      return [name.trim().replaceAll("`", ""), second.trim()];
    }),
  );
}

interface Node {
  readonly type?: string;
  readonly default?: unknown;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
}

/** Every field that is no object itself, by its path, with its default as the page writes it. */
function fields(schema: z.ZodType, anyName: string): Map<string, string> {
  const found = new Map<string, string>();
  function walk(node: Node, path: string, required: boolean, inherited?: unknown): void {
    const byDefault = node.default === undefined ? inherited : node.default;
    const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
    const objects = branches.filter(({ properties }) => properties !== undefined);
    for (const object of objects.length > 0 ? objects : [node]) {
      if (object.properties !== undefined) {
        for (const [name, child] of Object.entries(object.properties))
          walk(
            child,
            path === "" ? name : `${path}.${name}`,
            object.required?.includes(name) ?? false,
            (byDefault as Record<string, unknown> | undefined)?.[name],
          );
        continue;
      }
      const each = object.additionalProperties;
      const { items } = object;
      if (items?.properties !== undefined || items?.oneOf !== undefined) walk(items, `${path}[]`, false);
      else if (typeof each === "object" && (each.properties ?? each.oneOf) !== undefined)
        walk(each, `${path}.<${anyName}>`, false);
      else found.set(path, writtenDefault(byDefault, required));
    }
  }
  walk(z.toJSONSchema(schema, { io: "input" }) as Node, "", true);
  return found;
}

function writtenDefault(byDefault: unknown, required: boolean): string {
  if (byDefault !== undefined) return `\`${JSON.stringify(byDefault)}\``;
  return required ? "required" : "–";
}

describe.each([
  ["tenant", tenantConfigSchema, "tier"],
  ["fleet", fleetSchema, "name"],
  ["firewall", platformFirewallSchema, "name"],
] as const)("docs/configuration.md", (name, schema, anyName) => {
  test(`names the ${name} schema's fields and defaults, all and no others`, () => {
    expect(Object.fromEntries(table(`fields: ${name}`))).toEqual(Object.fromEntries(fields(schema, anyName)));
  });
});

test("docs/configuration.md shows a tenant that is valid", () => {
  const [, json = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  expect(checkTenantConfig(JSON.parse(json))).toMatchObject({ ok: true });
});

test("docs/configuration.md shows the limits that hold by default", () => {
  const checked = checkTenantConfig(JSON.parse(read("config/tenants/demo.json")));
  if (!checked.ok) throw new Error(checked.error);
  const tenant = checked.value;
  const written = (scope: "user" | "org", tier: z.infer<typeof tierSchema>) =>
    resolveLimits(tenant, scope, tier)
      .rules.map(({ capacity, unit }) =>
        unit === "microdollars"
          ? `$${(capacity / 1_000_000).toLocaleString("en-US")}`
          : capacity.toLocaleString("en-US"),
      )
      .join(", ");
  const [, after = ""] = page.split("<!-- limits -->\n");
  for (const tier of tierSchema.options)
    expect(after).toContain(`| ${tier} | ${written("user", tier)} | ${written("org", tier)} |`);
});

test("docs/configuration.md explains every variable, secret and binding of the edge Worker", () => {
  const names = [...read("workers/edge/env.d.ts").matchAll(/^ {4}([A-Z_]+)\??:/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(page).toContain(`| \`${name}\` |`);
});
