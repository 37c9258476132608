/** A durable turn of `POST /v1/chat/completions`: chunks in the journal, a `chat.completion` at the end. */
import { withReceipt } from "../../receipts/attach-receipt.ts";
import { citationsIn, withCitations } from "../../grounding/citations.ts";
import { citingAnswer } from "../../grounding/citing-encoder.ts";
import { readGrounding, type Grounding } from "../../grounding/ground.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import { createEncoder, type AnswerEncoder } from "../../stream/answer-encoder.ts";
import { streamFailureError } from "../../stream/stream-failure.ts";
import { toWireUsage } from "../../stream/wire-usage.ts";
import { askedChat } from "../asked-chat.ts";
import { toWireError } from "../../wire/errors.ts";
import { ChatRounds } from "./chat-rounds.ts";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import { gatherEvents, namedIn } from "./gathered.ts";
import { takeApart } from "./kept-rounds.ts";
import { keptAnswer } from "./listed-chat.ts";
import type { JournalEvent } from "./ports.ts";
import type { FormHistory, TurnForm } from "./turn-form.ts";

export function chatForm(request: ChatTurnRequest): TurnForm {
  const asked = askedChat(request.chat);
  const rounds = request.tools === undefined ? null : new ChatRounds(request);
  return {
    asked,
    encoder: rounds?.encoder ?? null,
    rounds: rounds?.rounds ?? null,
    early: () => "",
    refused: (refusal) => rounds?.failure(toWireError(refusal).body.error) ?? null,
    begin: (model, grounding) => {
      const createdSeconds = Math.floor(request.createdMs / 1000);
      const options = { id: request.responseId, model, createdSeconds, includeUsage: asked.includeUsage };
      rounds?.begin(options, grounding);
      return "";
    },
    final: ({ status, model, createdSeconds, collected, usage, price, grounding }) =>
      status === "failed"
        ? null
        : cited(
            keptAnswer(request, {
              id: request.responseId,
              model,
              createdSeconds,
              choices: collected.choices,
              usage,
              price,
            }),
            collected,
            grounding,
            asked.contentIsJson,
          ),
    sealed: ({ events, response }, receipt) => {
      const last = events.findLastIndex(({ data }) => data.startsWith("{"));
      return {
        events: events.map((event, at) => (at === last ? { data: withReceipt(event.data, receipt) } : event)),
        response: response === null ? null : withReceipt(response, receipt),
      };
    },
    history,
    restore: (events, grounding, begun) => {
      // Chunks are independent of each other, except that all carry the same model and time.
      if (rounds === null) return;
      const all = [...events];
      // The text format carries neither.
      const { model, created: createdSeconds } = namedIn(all) ?? {
        model: request.chat.model,
        created: Math.floor(request.createdMs / 1000),
      };
      const options = { id: request.responseId, model, createdSeconds, includeUsage: asked.includeUsage };
      rounds.goOn(options, grounding, gatherEvents(all), begun);
    },
    conclude: (_events, finish, { model, createdSeconds, collected, usage, price, grounding }) => {
      const identity = { id: request.responseId, model, createdSeconds };
      const options = { ...identity, includeUsage: asked.includeUsage };
      const encoder = citingAnswer(createEncoder(asked.format, options), grounding, collected, asked);
      return {
        last: encoder.end(toWireUsage(usage, price), finish),
        response: cited(
          keptAnswer(request, { ...identity, choices: collected.choices, usage, price }),
          collected,
          grounding,
          asked.contentIsJson,
        ),
      };
    },
    interrupted: (interruption, usage, price) => {
      const told = history(interruption.events(), interruption.kept);
      const collected = gatherEvents(interruption.events());
      const cancelled = interruption.reason === "cancelled";
      const identity = {
        id: request.responseId,
        model: told.model ?? request.chat.model,
        createdSeconds: told.createdSeconds ?? Math.floor(request.createdMs / 1000),
      };
      const grounding = readGrounding(interruption.kept);
      const options = { ...identity, includeUsage: asked.includeUsage };
      const encoder = citingAnswer(createEncoder(asked.format, options), grounding, collected, asked);
      return {
        // What was said so far stands, and gets an end.
        last: cancelled
          ? finishOpen(encoder, collected, asked.choices) +
            encoder.end(toWireUsage(usage, price ?? undefined), "stop")
          : encoder.failure(
              streamFailureError(interruption.reason === "deadline" ? "deadline" : "origin-error"),
            ),
        response: cancelled
          ? cited(
              keptAnswer(request, {
                ...identity,
                choices: collected.choices,
                usage,
                price: price ?? undefined,
              }),
              collected,
              grounding,
              asked.contentIsJson,
            )
          : null,
        ...told,
      };
    },
  };
}

/** The whole answer with its citations. */
function cited(
  answer: string,
  collected: AnswerCollector,
  grounding: Grounding | null,
  isJson: boolean,
): string {
  return grounding === null
    ? answer
    : withCitations(answer, citationsIn(collected.choices, grounding.passages, isJson), grounding);
}

function history(events: Iterable<JournalEvent>, kept: string | null): FormHistory {
  const all = [...events];
  const named = namedIn(all);
  const whole = gatherEvents(all);
  return {
    ...(takeApart(kept, whole) ?? { collected: whole, rounds: [] }),
    model: named?.model ?? null,
    createdSeconds: named?.created ?? null,
  };
}

/** Every answer that has no end yet gets one; OpenAI's chat has no word for "cancelled". */
function finishOpen(encoder: AnswerEncoder, collected: AnswerCollector, choices: number): string {
  let text = "";
  for (let choice = 0; choice < choices; choice += 1) {
    const said = collected.choices[choice];
    if (said !== undefined && said.finishReason !== null) continue;
    // The journal already has the choice's role: the new encoder must not write it again.
    if (said !== undefined) encoder.delta({ index: choice, role: "assistant" });
    collected.finish(choice, "stop");
    text += encoder.finish(choice, "stop");
  }
  return text;
}
