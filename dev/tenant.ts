/** `npm run tenant -- put <file.json> | get <id> | list | delete <id>`: edits tenant configuration in KV. */
import { parseArgs } from "node:util";
import demo from "../config/tenants/demo.json" with { type: "json" };
import { seedDemoTenant } from "../src/shared/tenancy/seed-demo.ts";
import { asksHelp, endWith, UsageError } from "./commands/command-line.ts";
import {
  environmentOf,
  placeOptions,
  placeUsage,
  StoreError,
  withStore,
  type ConfigStore,
} from "./commands/config-store.ts";
import { DocumentError, readDocument } from "./commands/read-document.ts";
import { portFrom } from "./start/ports.ts";
import {
  deleteTenant,
  getTenant,
  listTenants,
  putTenant,
  stillThere,
  TenantError,
} from "./commands/tenant-command.ts";

const usage = `usage: npm run tenant -- put <file.json> [--returning] | get <id> | list | delete <id>
       ${placeUsage}
       delete takes a tenant out of KV alone; DELETE /admin/tenants/<id> also erases what it keeps and revokes its keys
       --returning: it was deleted by this command, and what it kept is its own`;

async function run(
  store: ConfigStore,
  positionals: readonly string[],
  environment: "local" | "production",
  isReturning: boolean,
) {
  const [command, operand = ""] = positionals;
  if (positionals.length !== (command === "list" ? 1 : 2)) throw new UsageError();
  switch (command) {
    case "put": {
      const tenant = await putTenant(store, readDocument(operand), environment, isReturning);
      return `tenant ${tenant.id}, version ${tenant.version}`;
    }
    case "get":
      return getTenant(store, operand);
    case "list":
      return (await listTenants(store)).join("\n");
    case "delete":
      return `deleted ${(await deleteTenant(store, operand)).join(", ")}
${stillThere(operand, environment, portFrom("PORT", 8787))}`;
    default:
      throw new UsageError();
  }
}

async function answer(parameters: string[]): Promise<string> {
  if (asksHelp(parameters)) return usage;
  const { values, positionals } = parseArgs({
    args: parameters,
    options: { ...placeOptions, returning: { type: "boolean" } },
    allowPositionals: true,
  });
  const environment = environmentOf(values);
  return withStore(values, async (store) => {
    // As `wrangler dev` does on its first request, so that either may come first.
    const put = (key: string, value: string) => store.put([{ key, value }]);
    if (environment === "local") await seedDemoTenant({ get: (key) => store.get(key), put }, demo);
    return run(store, positionals, environment, values.returning === true);
  });
}

try {
  console.log(await answer(process.argv.slice(2)));
} catch (error) {
  endWith(error, usage, [TenantError, StoreError, DocumentError]);
}
