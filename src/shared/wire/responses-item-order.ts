/** Which order may the items of a response's input have? */
import type { Refusal } from "../contracts/refusal.ts";
import type { Item } from "../responses/item.ts";
import { isServerCallType } from "../responses/server-items.ts";
import { invalidValue } from "./zod-refusal.ts";

/**
 * Each call must be answered once before anything else follows, and only calls are answered. After a stored history the
 * first answers may belong to the calls at its end. The model's own text or reasoning after its call belongs to the same
 * answer: clients send items back as they got them.
 */
export function itemSequenceFault(items: readonly Item[], historyInFront: boolean): Refusal | null {
  const open = new Map<string, number>();
  let answered = new Set<string>();
  let mayAnswerHistory = historyInFront;
  for (const [at, item] of items.entries()) {
    if (item.type === "function_call_output") {
      if (!open.delete(item.call_id) && (!mayAnswerHistory || answered.has(item.call_id)))
        return invalidValue(
          `input[${at}].call_id`,
          "answers no open call: a function_call_output must follow the function_call with its call_id, once",
        );
      answered.add(item.call_id);
      continue;
    }
    if (item.type === "reasoning" || item.type === "file_search_call" || isServerCallType(item.type))
      continue;
    if (isSpoken(item) && open.size > 0) continue;
    const instructs = item.type === "message" && (item.role === "system" || item.role === "developer");
    // Instructions belong to their turn and come before the history, wherever the turn begins.
    if (!instructs) mayAnswerHistory = false;
    if (item.type === "function_call") {
      if (open.has(item.call_id)) return invalidValue(`input[${at}].call_id`, "is used by two open calls");
      open.set(item.call_id, at);
      answered = new Set();
      continue;
    }
    if (open.size > 0) return unanswered(open);
  }
  return open.size > 0 ? unanswered(open) : null;
}

function isSpoken(item: Item): boolean {
  return item.type === "message" && item.role === "assistant";
}

function unanswered(open: ReadonlyMap<string, number>): Refusal {
  const at = open.values().next().value ?? 0;
  return invalidValue(
    `input[${at}].call_id`,
    "must be answered by a function_call_output before the next message",
  );
}
