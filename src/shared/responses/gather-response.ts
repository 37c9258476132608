/** What did a journal of response events say, all told? For the conversation and the bill of a turn whose memory is gone. */
import { AnswerCollector } from "../stream/answer-collector.ts";
import { isRecord } from "../stream/wire-usage.ts";

const maxGatheredCharacters = 1_000_000;

export function gatherResponse(events: Iterable<{ readonly data: string }>): AnswerCollector {
  const collected = new AnswerCollector(maxGatheredCharacters, false);
  /** Calls in their order, by their item's place in the output. */
  const calls: number[] = [];
  for (const { data } of events) {
    const event: unknown = JSON.parse(data);
    if (!isRecord(event)) continue;
    const { type, item } = event;
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
      case "response.output_item.added":
        if (!isRecord(item) || item["type"] !== "function_call") break;
        calls.push(place);
        collected.delta({
          index: 0,
          toolCalls: [
            {
              index: calls.length - 1,
              id: String(item["call_id"]),
              type: "function",
              function: { name: String(item["name"]) },
            },
          ],
        });
        break;
      case "response.function_call_arguments.delta":
        collected.delta({
          index: 0,
          toolCalls: [{ index: calls.indexOf(place), function: { arguments: delta } }],
        });
    }
  }
  return collected;
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
