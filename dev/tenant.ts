/** `npm run tenant -- put <file.json> | get <id> | list | delete <id>`: edits tenant configuration in KV. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import demo from "../config/tenants/demo.json" with { type: "json" };
import { seedDemoTenant } from "../src/shared/tenancy/seed-demo.ts";
import { asksHelp } from "./asks-help.ts";
import { remoteStore, runWrangler, withLocalStore, type TenantStore } from "./config-store.ts";
import { deleteTenant, getTenant, listTenants, putTenant, TenantError } from "./tenant-command.ts";

const usage = `usage: npm run tenant -- put <file.json> | get <id> | list | delete <id>
       [--env production [--namespace-id <id of the KV namespace bound as CONFIG>]]`;

async function run(store: TenantStore, positionals: readonly string[], environment: "local" | "production") {
  const [command, operand = ""] = positionals;
  if (positionals.length !== (command === "list" ? 1 : 2)) throw new TenantError(usage);
  switch (command) {
    case "put": {
      const tenant = await putTenant(store, readText(operand), environment);
      return `tenant ${tenant.id}, version ${tenant.version}`;
    }
    case "get":
      return getTenant(store, operand);
    case "list":
      return (await listTenants(store)).join("\n");
    case "delete":
      return `deleted ${(await deleteTenant(store, operand)).join(", ")}`;
    default:
      throw new TenantError(usage);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TenantError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function answer(parameters: string[]): Promise<string> {
  if (asksHelp(parameters)) return usage;
  const { values, positionals } = parseArgs({
    args: parameters,
    options: { env: { type: "string" }, "namespace-id": { type: "string" } },
    allowPositionals: true,
  });
  if (values.env === "production")
    return run(remoteStore("production", runWrangler, values["namespace-id"]), positionals, "production");
  if (values.env !== undefined) throw new TenantError(`--env ${values.env}: is not production`);
  return withLocalStore(async (store) => {
    // As `wrangler dev` does on its first request, so that either may come first.
    const put = (key: string, value: string) => store.put([{ key, value }]);
    await seedDemoTenant({ get: (key) => store.get(key), put }, demo);
    return run(store, positionals, "local");
  });
}

try {
  console.log(await answer(process.argv.slice(2)));
} catch (error) {
  const expected = error instanceof TenantError || (error instanceof TypeError && "code" in error);
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}
