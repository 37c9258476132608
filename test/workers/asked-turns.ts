/** Turns as one user asks for them, one after the other or at once (turn-interleavings.ts). */
import { env } from "cloudflare:workers";
import type { ScriptedEngine, ScriptedRound } from "./scripted-engine.ts";
import { calls } from "./tool-server.ts";

export interface Asking {
  readonly kind: "chat" | "response";
  readonly how: "stream" | "whole" | "background";
  readonly conversation: "none" | "first" | "second";
  readonly isKeyed: boolean;
  /** Of a response of no conversation: it goes on from one of those before. */
  readonly goesOn: number | null;
  /** Its model turns to a tool of the server's before it answers. */
  readonly calls: boolean;
  /** Two answers, of a chat of no conversation. */
  readonly twice: boolean;
  /** Words that are said before the engine stands still. */
  readonly pausedAt: number;
}

export type Step =
  | { readonly does: "ask"; readonly asking: Asking }
  | {
      readonly does: "again" | "read" | "look" | "cancel" | "delete" | "alarm" | "goes-on";
      readonly which: number;
    }
  | { readonly does: "forget"; readonly conversation: "first" | "second" }
  | { readonly does: "fail"; readonly whom: "append" | "settle"; readonly when: "before" | "after" }
  | { readonly does: "kill" | "wait" };

export interface AskedTurn {
  readonly asking: Asking;
  readonly number: number;
  readonly body: object;
  /** As clients see it; the last one, where a key led to several. */
  id: string | null;
  /** By its own id. Nobody asks for it again, nor for one whose conversation was deleted. */
  isDeleted: boolean;
  /** Its conversation was deleted behind it. */
  isForgotten: boolean;
}

export const words = ["One", " two", " three", " four", " five"];
export const paths = { chat: "/v1/chat/completions", response: "/v1/responses" } as const;

/** @param previous the responses before */
export function bodyOf(asking: Asking, number: number, previous: readonly AskedTurn[]): object {
  const { kind, how, conversation, calls: isCalling, twice, goesOn } = asking;
  const isAlone = conversation === "none";
  const text = `question ${number}.${isCalling ? ` ${call}` : ""}`;
  const told = how === "stream" ? { stream: true } : how === "background" ? { background: true } : {};
  if (kind === "chat")
    return {
      model: "auto",
      max_tokens: 50,
      messages: [{ role: "user", content: text }],
      store: true,
      ...told,
      ...(isAlone ? (twice ? { n: 2 } : {}) : { conversation_id: conversation }),
    };
  const before = goesOn === null ? undefined : previous[goesOn % Math.max(1, previous.length)];
  return {
    model: "auto",
    max_output_tokens: 50,
    input: text,
    ...told,
    ...(isAlone ? (before === undefined ? {} : { previous_response_id: before.id }) : { conversation }),
  };
}

/** A question that holds this has its model turn to a tool first. */
export const call = "Calculate.";
const calculating: ScriptedRound = calls(["calculator", { expression: "6*7" }]);

/** Answers them: word by word, behind a call where the question wants one. */
export function answersThem(engine: ScriptedEngine): void {
  engine.tokens = words;
  engine.saysAllChoices = true;
  engine.roundFor = ({ messages }) =>
    JSON.stringify((messages as object[]).at(-1)).includes(call) ? calculating : null;
}

/** The object of a turn whose id is known. */
export function objectOf({ id, asking }: AskedTurn) {
  if (id === null) return null;
  const from = asking.kind === "chat" ? "chatcmpl-".length : "resp_".length;
  return () => env.GENERATION.getByName(id.slice(from, from + 27));
}
