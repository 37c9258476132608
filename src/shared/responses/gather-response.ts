/** Reads the answer back from a journal of response events, for the conversation and the bill of a turn whose memory is gone. */
import { AnswerCollector } from "../stream/answer-collector.ts";
import type { FinishReason } from "../stream/engine-event.ts";
import { isRecord } from "../wire/is-record.ts";
import { flatName, functionNameOf } from "./function-names.ts";
import { isServerCallType, type ServerCall, serverCallEndOf, serverCallOf } from "./server-items.ts";

const maxGatheredCharacters = 1_000_000;

/** A call of a tool of the server's own, as the journal shows it. */
interface GatheredCall {
  readonly id: string;
  readonly call: ServerCall;
  told: string | null;
}

export interface GatheredResponse {
  /** Of the present round: all of it, where no tools of the server's own were called. */
  readonly collected: AnswerCollector;
  /** Earlier rounds, oldest first. */
  readonly rounds: readonly { readonly said: AnswerCollector; readonly calls: GatheredCall[] }[];
}

export function gatherResponse(events: Iterable<{ readonly data: string }>): GatheredResponse {
  const rounds: { readonly said: AnswerCollector; readonly calls: GatheredCall[] }[] = [];
  let collected = new AnswerCollector(maxGatheredCharacters, false);
  /** Calls of the client's functions in their order, by their item's place in the output. */
  let calls: number[] = [];
  // An item is closed by the next one's beginning, in one breath, or by the finish reason: then the last one is.
  let newest = -1;
  let finish: FinishReason | null = null;
  /** Whether the item before was a call of the server's. */
  let isAnswering = false;
  for (const { data } of events) {
    const event: unknown = JSON.parse(data);
    if (!isRecord(event)) continue;
    const { type, item } = event;
    // A search is over before the model is asked: its end is no end of an answer.
    if (isRecord(item) && item["type"] === "file_search_call") continue;
    const delta = typeof event["delta"] === "string" ? event["delta"] : "";
    const place = Number(event["output_index"]);
    switch (type) {
      case "response.output_text.delta":
        collected.content(0, delta);
        break;
      case "response.reasoning_text.delta":
        collected.delta({ index: 0, reasoning: delta });
        break;
      case "response.refusal.delta":
        collected.delta({ index: 0, refusal: delta });
        break;
      case "response.mcp_call_arguments.done": {
        const called = rounds.at(-1)?.calls.at(-1);
        if (called !== undefined)
          rounds.at(-1)?.calls.splice(-1, 1, {
            ...called,
            call: { ...called.call, arguments: String(event["arguments"]) },
          });
        break;
      }
      case "response.output_item.done": {
        const end = isRecord(item) && isServerCallType(item["type"]) ? serverCallEndOf(item) : null;
        if (end !== null && isRecord(item)) {
          const called = rounds.at(-1)?.calls.find(({ id }) => id === item["id"]);
          if (called !== undefined) called.told = end.output ?? end.error;
        } else if (place === newest)
          finish = isRecord(item) && item["status"] === "incomplete" ? "length" : "stop";
        break;
      }
      case "response.output_item.added": {
        newest = place;
        finish = null;
        const call = serverCallOf(item);
        if (call !== null && isRecord(item)) {
          if (!isAnswering) {
            rounds.push({ said: collected, calls: [] });
            collected = new AnswerCollector(maxGatheredCharacters, false);
            calls = [];
          }
          isAnswering = true;
          rounds.at(-1)?.calls.push({ id: String(item["id"]), call, told: null });
          break;
        }
        isAnswering = false;
        if (!isRecord(item) || item["type"] !== "function_call") break;
        calls.push(place);
        collected.delta({
          index: 0,
          toolCalls: [
            {
              index: calls.length - 1,
              id: String(item["call_id"]),
              type: "function",
              function: { name: flatName(functionNameOf(item)) },
            },
          ],
        });
        break;
      }
      case "response.function_call_arguments.delta":
        collected.delta({
          index: 0,
          toolCalls: [{ index: calls.indexOf(place), function: { arguments: delta } }],
        });
    }
  }
  if (finish !== null) collected.finish(0, finish);
  return { collected, rounds };
}

/** The model that the answer's events name; `null` where the engine had not answered yet. */
export function modelNamedIn(events: Iterable<{ readonly data: string }>): string | null {
  for (const { data } of events) {
    const event: unknown = JSON.parse(data);
    if (!isRecord(event) || event["type"] !== "response.in_progress") continue;
    const { response } = event;
    return isRecord(response) && typeof response["model"] === "string" ? response["model"] : null;
  }
  return null;
}
