/**
 * The tools of one turn, as its tenant configured them, with what they need from this Worker: `fetch`, secrets and databases by name, the
 * safety rules. Loaded by the first turn that was offered any.
 */
import { err } from "../../src/shared/contracts/result.ts";
import { screenPrompt, type ScreenedPrompt } from "../../src/shared/safety/screen-prompt.ts";
import { calculator } from "../../src/shared/tools/calculator/calculator.ts";
import { httpTool, type HttpToolDeps } from "../../src/shared/tools/http/http-tool.ts";
import type { OfferedTools } from "../../src/shared/tools/offered-tools.ts";
import { holdsMask } from "../../src/shared/tools/masked-arguments.ts";
import { shownResult } from "../../src/shared/tools/shown-result.ts";
import { resultScreen } from "../../src/shared/tools/web-search/screen-results.ts";
import { webSearchTool } from "../../src/shared/tools/web-search/web-search-tool.ts";
import { cutTo, runCall } from "../../src/shared/tools/run-call.ts";
import type { ServerTool, ToolFault } from "../../src/shared/tools/server-tool.ts";
import type { ReadOnlyDatabase } from "../../src/shared/tools/sql/read-only-database.ts";
import type { ToolBox } from "../../src/shared/tools/tool-box.ts";
import type { ToolPolicy } from "../../src/shared/tools/tool-policy.ts";
import type { ChatTurnRequest } from "../../src/shared/turn/durable/chat-turn-end.ts";
import type { Isolate } from "./isolate.ts";
import { noteBrought } from "./note-brought.ts";
import { startTimer } from "./timers.ts";

export async function toolBoxOf(isolate: Isolate, request: ChatTurnRequest): Promise<ToolBox> {
  const { tenant, tools } = request;
  const policy = tenant.tools;
  if (policy === null || tools === undefined) throw new Error("a turn without tools opens none");
  const offered = new Set(tools.names);
  const all = [...toolsOf(isolate, policy, tools), ...(await sqlTools(isolate, policy))];
  const known = all.filter(({ name }) => offered.has(name));
  const note = (screened: ScreenedPrompt<unknown>): void =>
    noteBrought(isolate, { from: "tool", tenant: tenant.id, requestId: request.requestId }, screened);
  return {
    tools: new Map(known.map((tool) => [tool.name, tool])),
    mostCharacters: policy.max_result_characters,
    call: (tool, argumentsText, signal) =>
      holdsMask(argumentsText, tenant.safety)
        ? Promise.resolve(err(maskedArguments))
        : runCall(tool, argumentsText, signal, {
            timer: (ms, fire) => startTimer(fire, ms),
            report: (name, detail) => isolate.report(`tool ${name}`, detail),
          }),
    screened: async (text) => {
      // In process alone: a guard model judges who speaks (docs/moderation.md).
      const screening = screenPrompt([{ role: "tool", content: text }], tenant.safety, isolate.screen);
      const screened = screening instanceof Promise ? await screening : screening;
      note(screened);
      if (screened.kind === "refused") return null;
      const [message] = screened.messages;
      return typeof message?.content === "string" ? message.content : null;
    },
    results: resultScreen(tenant.safety, isolate.screen, note),
    shown: (text) => shownResult(text, tenant.safety),
    cut: (text, most = policy.max_result_characters) => cutTo(text, most),
  };
}

const maskedArguments: ToolFault = {
  kind: "refused",
  detail: "its arguments held what may not be said here, and was masked before they came to it",
};

function toolsOf({ env }: Isolate, policy: ToolPolicy, { webSearch }: OfferedTools): readonly ServerTool[] {
  const deps: HttpToolDeps = {
    fetch: (url, init) => fetch(url, init),
    secret: (name) => secretOf(env, name),
    mayReachThisMachine: env.ENVIRONMENT === "local",
  };
  return [
    ...(policy.calculator ? [calculator] : []),
    ...policy.http.map((config) => httpTool(config, deps)),
    ...(policy.web_search === null || webSearch === undefined
      ? []
      : [webSearchTool(policy.web_search, webSearch, deps)]),
  ];
}

/** With a parser of SQL and a driver: loaded where there is a database to ask. */
async function sqlTools(
  { env }: Isolate,
  { sql, max_result_characters: maxCharacters }: ToolPolicy,
): Promise<readonly ServerTool[]> {
  if (sql === null) return [];
  const [{ sqlTool }, { d1Database }, { postgresDatabase }] = await Promise.all([
    import("../../src/shared/tools/sql/sql-tool.ts"),
    import("./adapters/tool-d1.ts"),
    import("./adapters/tool-postgres.ts"),
  ]);
  const open = (): ReadOnlyDatabase | null => {
    const binding: unknown = Reflect.get(env, sql.binding);
    if (sql.dialect === "d1") return isD1(binding) ? d1Database(binding) : null;
    const url = typeof binding === "string" ? binding : isHyperdrive(binding) ? binding.connectionString : "";
    return url === "" ? null : postgresDatabase(url);
  };
  return [sqlTool(sql, open, maxCharacters)];
}

function isD1(binding: unknown): binding is D1Database {
  return typeof binding === "object" && binding !== null && "prepare" in binding;
}

function isHyperdrive(binding: unknown): binding is Hyperdrive {
  return typeof binding === "object" && binding !== null && "connectionString" in binding;
}

/** By a name that the configuration was allowed to say (tool-policy.ts): its own tenant's. */
function secretOf(env: Cloudflare.Env, name: string): string | null {
  const value: unknown = Reflect.get(env, name);
  return typeof value === "string" && value !== "" ? value : null;
}
