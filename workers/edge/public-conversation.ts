/** A conversation, its branches and the record of a deleted one, as clients see them: OpenAI's form with our own fields. */
import type { DeletionRecord } from "../../src/shared/contracts/conversation-index.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { parseBranchName } from "../../src/shared/wire/conversation-request.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import type { EdgeContext } from "./handle.ts";

export function publicConversation(conversation: {
  readonly id: string;
  readonly createdMs: number;
  /** JSON. */
  readonly metadata: string;
  readonly title: string | null;
  /** Absent: not known, in a list. */
  readonly branch?: number;
}): Record<string, unknown> {
  const { id, createdMs, metadata, title, branch } = conversation;
  return {
    id,
    object: "conversation",
    created_at: seconds(createdMs),
    metadata: JSON.parse(metadata) as unknown,
    // Older code names neither.
    title: title ?? null,
    ...(branch === undefined ? {} : { active_branch: branchName(branch) }),
  };
}

export function publicDeletion(record: DeletionRecord): Record<string, unknown> {
  return {
    id: record.id,
    object: "conversation.deletion",
    conversation_id: record.conversationId,
    deleted_at: seconds(record.deletedMs),
    items: record.items,
    turns: record.turns,
    turns_pending: record.turnsPending,
    recoverable_until: seconds(record.recoverableUntilMs),
    note: recoveryNote,
  };
}

const recoveryNote =
  "Erased here. The platform's point-in-time recovery of storage (30 days) could bring it back until recoverable_until; " +
  "afterwards nobody can. What was charged stays in the ledger, without content.";

export function branchName(branch: number): string {
  return `br_${branch}`;
}

export function branchUnknown(param: string): Refusal {
  return invalidValue(param, "names no branch of this conversation");
}

export interface Page {
  readonly after: string | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

/** `limit`, `order` and `after`, as OpenAI has them; which order is meant where none is asked for differs by list. */
export function pageOf(c: EdgeContext, usual: Page["order"] = "desc"): Result<Page, Refusal> {
  const limit = c.req.query("limit") ?? "20";
  const order = c.req.query("order") ?? usual;
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100)
    return err(invalidValue("limit", "must be a whole number from 1 to 100"));
  if (order !== "asc" && order !== "desc") return err(invalidValue("order", "must be 'asc' or 'desc'"));
  return ok({ after: c.req.query("after") ?? null, limit: Number(limit), order });
}

/** `?branch=br_…`; `null`: the active one. */
export function branchOf(c: EdgeContext): Result<number | null, Refusal> {
  const name = c.req.query("branch");
  if (name === undefined) return ok(null);
  const branch = parseBranchName(name);
  return branch === null ? err(branchUnknown("branch")) : ok(branch);
}

/** The values of OpenAI's `include`. Items here always hold everything, so there is nothing to add. */
const includable: ReadonlySet<string> = new Set([
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

/** `null`: every value is one of OpenAI's. */
export function includeFault(c: EdgeContext): Refusal | null {
  const asked = [...(c.req.queries("include") ?? []), ...(c.req.queries("include[]") ?? [])];
  const known = asked.flatMap((each) => each.split(",")).every((each) => includable.has(each));
  return known ? null : invalidValue("include", `must be of: ${[...includable].join(", ")}`);
}

/** A page in OpenAI's form. Its schema has no null for `first_id` and `last_id`: they are empty if the page is. */
export function publicPage(
  data: readonly Record<string, unknown>[],
  hasMore: boolean,
): Record<string, unknown> {
  return {
    object: "list",
    data,
    first_id: data[0]?.["id"] ?? "",
    last_id: data.at(-1)?.["id"] ?? "",
    has_more: hasMore,
  };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
