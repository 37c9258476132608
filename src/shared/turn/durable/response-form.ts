/** A durable turn of `POST /v1/responses`: OpenAI's response events in the journal, the `response` object at the end. */
import type { Refusal } from "../../contracts/refusal.ts";
import { type Grounding, readGrounding } from "../../grounding/ground.ts";
import { withReceipt } from "../../receipts/attach-receipt.ts";
import { askedResponse } from "../../responses/asked-response.ts";
import { gatherResponse, modelNamedIn } from "../../responses/gather-response.ts";
import { responseRefusal } from "../../responses/response-refusal.ts";
import { inEventsResponse, ResponseWriter, responseErrorCode } from "../../responses/response-writer.ts";
import { inStored, writeStored } from "../../responses/stored-response.ts";
import { guardsAnswers } from "../../safety/answer-guard.ts";
import { streamFailureError } from "../../stream/stream-failure.ts";
import { toWireError } from "../../wire/errors.ts";
import { askedChat } from "../asked-chat.ts";
import type { ResponseTurnRequest } from "./chat-turn-end.ts";
import type { JournalEvent } from "./ports.ts";
import { roundsIn } from "./round-history.ts";
import { roundRequest } from "./round-request.ts";
import type { FormHistory, TurnForm } from "./turn-form.ts";

export function responseForm(request: ResponseTurnRequest, now: () => number): TurnForm {
  const { response } = request;
  const writer = writerFor(request, now);
  const kept = (): string | null => (writer.final === null ? null : writeStored(writer.final, response));
  return {
    asked: askedResponse(request.chat, response),
    early: () => (response.background ? writer.queued() : ""),
    refused: (refusal) =>
      writer.nextSequence === 0 ? null : { last: failedBy(writer, refusal), response: kept() },
    begin: (model, grounding) => {
      writer.named(model);
      return writer.started() + (grounding === null ? "" : writer.searched(grounding));
    },
    rounds: {
      isSilent: false,
      asked: (since, tools, used) => askedResponse(roundRequest(request.chat, since, tools, used), response),
      opened: (call) => writer.openServerCall(call),
      ended: (id, end) => writer.closeServerCall(id, end),
      closing: () => writer.finish(0, "tool_calls"),
      concluded: (usage, price, reason) => {
        writer.usage = () => ({ usage, price });
        return { last: writer.end(undefined, reason), response: kept() };
      },
      cites: (sources) => {
        writer.sources = sources;
      },
    },
    encoder: {
      encoder: writer,
      counting: (usage, price) => {
        writer.usage = () => ({ usage: usage(), price });
      },
      bounded: (budget) => ({
        ask: (tokens) => (writer.isFull ? "stop" : budget.ask(tokens)),
        get pending() {
          return budget.pending;
        },
        promptCounted: (tokens) => budget.promptCounted(tokens),
      }),
    },
    final: kept,
    sealed: ({ events, response: stored }, receipt) => ({
      events: events.map((event, at) =>
        at === events.length - 1
          ? { ...event, data: inEventsResponse(event.data, (json) => withReceipt(json, receipt)) }
          : event,
      ),
      response: stored === null ? null : inStored(stored, (json) => withReceipt(json, receipt)),
    }),
    history,
    restore: (events, grounding) => restored(writer, events, grounding),
    conclude: (events, finish, { usage, price, grounding }) => {
      restored(writer, events, grounding);
      writer.usage = () => ({ usage, price });
      return { last: writer.end(undefined, finish), response: kept() };
    },
    interrupted: (interruption, usage, price) => {
      const ending = writerFor(request, () => interruption.nowMs);
      ending.sources = roundsIn(interruption.note)?.sources ?? [];
      restored(ending, interruption.events(), readGrounding(interruption.kept));
      ending.usage = () => ({ usage, price: price ?? undefined });
      const last =
        interruption.reason === "cancelled"
          ? ending.cancelled()
          : ending.failure(
              streamFailureError(interruption.reason === "deadline" ? "deadline" : "origin-error"),
            );
      return {
        last,
        response: ending.final === null ? null : writeStored(ending.final, response),
        ...history(interruption.events()),
      };
    },
  };
}

function restored(writer: ResponseWriter, events: Iterable<JournalEvent>, grounding: Grounding | null): void {
  if (grounding !== null) writer.grounded(grounding);
  for (const { data } of events) writer.restore(data);
}

function history(events: Iterable<JournalEvent>): FormHistory {
  const all = [...events];
  return { ...gatherResponse(all), model: modelNamedIn(all), createdSeconds: null };
}

/** The public form of a response without output yet, also of one that was cancelled before it had any. */
export function openResponse(
  request: ResponseTurnRequest,
  status: "queued" | "in_progress" | "cancelled",
): string {
  return writeStored(writerFor(request, () => 0).open(status), request.response);
}

function writerFor(request: ResponseTurnRequest, now: () => number): ResponseWriter {
  const { response, responseId, tenant } = request;
  return new ResponseWriter({
    identity: { id: responseId, createdAt: Math.floor(request.createdMs / 1000), echo: response.echo },
    objectName: response.objectName,
    model: request.chat.model,
    background: response.background,
    guarded: guardsAnswers(tenant.safety),
    showsResults: response.showsResults === true,
    isJson: askedChat(request.chat).contentIsJson,
    now,
  });
}

function failedBy(writer: ResponseWriter, refusal: Refusal): string {
  const { error } = toWireError(responseRefusal(refusal)).body;
  return writer.failed(responseErrorCode(error), error.message);
}
