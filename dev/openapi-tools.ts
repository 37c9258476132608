/** `npm run --silent tools`: from an OpenAPI description, the `tools.http` of a tenant. */
import { httpToolsFrom } from "../src/shared/tools/openapi/http-tools.ts";
import { toolPolicySchema } from "../src/shared/tools/tool-policy.ts";
import { pathText } from "../src/shared/tenancy/stored-document.ts";
import { asksHelp, endWith, UsageError } from "./commands/command-line.ts";
import { DocumentError, readDocument } from "./commands/read-document.ts";

const usage = `usage: npm run --silent tools -- <openapi.json> <https://base.url> <operationId>…
Prints "http", the tools of these operations, for the "tools" of a tenant's configuration. Nothing is fetched.`;

async function draft(file: string, baseUrl: string, ids: readonly string[]): Promise<string> {
  const made = await httpToolsFrom(JSON.parse(readDocument(file)), ids, baseUrl);
  if (!made.ok) throw new DocumentError(made.error);
  const checked = toolPolicySchema.safeParse({ http: made.value });
  const [issue] = checked.error?.issues ?? [];
  if (issue !== undefined) throw new DocumentError(`${pathText(issue.path)}: ${issue.message}`);
  return JSON.stringify({ http: made.value }, null, 2);
}

const [file, baseUrl, ...ids] = process.argv.slice(2);
try {
  if (asksHelp(process.argv.slice(2))) process.stdout.write(`${usage}\n`);
  else if (file === undefined || baseUrl === undefined || ids.length === 0) throw new UsageError();
  else process.stdout.write(`${await draft(file, baseUrl, ids)}\n`);
} catch (error) {
  endWith(error, usage, [DocumentError]);
}
