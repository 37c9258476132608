import type { Choice } from "../engine/compose.ts";
import { contentTokens, plainLogprobs } from "./logprobs.ts";
import type { AnswerForm } from "./serve-generation.ts";

/** The form of a plain completion, streamed and whole. */
export interface PlainForm {
  readonly id: string;
  readonly model: string;
  readonly logprobs: number | undefined;
  /** For each choice: its prompt's text and tokens if they must be repeated, else undefined. */
  readonly echoed: (
    index: number,
  ) => { readonly text: string; readonly tokens: readonly string[] } | undefined;
}

export function plainAnswer(form: PlainForm): AnswerForm {
  const created = Math.floor(Date.now() / 1000);
  const head = `{"id":"${form.id}","object":"text_completion","created":${created},"model":${JSON.stringify(form.model)},"choices":[`;

  return {
    opening: () => "",

    step(index, choice, step, usage) {
      const delta = choice.deltas[step];
      if (delta === undefined) return "";
      const echo = step === 0 ? form.echoed(index) : undefined;
      const text = (echo?.text ?? "") + (delta.kind === "content" ? delta.text : "");
      const last = step === choice.deltas.length - 1;
      const tokens = [
        ...(echo?.tokens ?? []),
        ...(delta.kind === "content" && delta.token !== "" ? [delta.token] : []),
      ];
      const logprobs =
        form.logprobs === undefined
          ? "null"
          : JSON.stringify(
              plainLogprobs(tokens, form.logprobs, echo === undefined ? shownBefore(choice, step) : 0),
            );
      const finish = last ? `"${choice.finishReason}"` : "null";
      return (
        `data: ${head}{"index":${index},"text":${JSON.stringify(text)},"logprobs":${logprobs},` +
        `"finish_reason":${finish},"stop_reason":${last ? JSON.stringify(choice.stopReason) : "null"}}]${usage}}\n\n`
      );
    },

    usage: (usage) => `data: ${head}],"usage":${usage}}\n\n`,

    whole(choices, usage) {
      const listed = choices.map((choice, index) => {
        const echo = form.echoed(index);
        let text = echo?.text ?? "";
        for (const delta of choice.deltas) if (delta.kind === "content") text += delta.text;
        const logprobs =
          form.logprobs === undefined
            ? "null"
            : JSON.stringify(
                plainLogprobs([...(echo?.tokens ?? []), ...contentTokens(choice)], form.logprobs, 0),
              );
        return (
          `{"index":${index},"text":${JSON.stringify(text)},"logprobs":${logprobs},"finish_reason":"${choice.finishReason}",` +
          `"stop_reason":${JSON.stringify(choice.stopReason)},"token_ids":null,"prompt_logprobs":null,"prompt_token_ids":null}`
        );
      });
      return `${head}${listed.join(",")}],"service_tier":null,"system_fingerprint":null,"usage":${usage},"kv_transfer_params":null}`;
    },
  };
}

/** Characters before this step, for the offsets of a streamed piece. */
function shownBefore(choice: Choice, step: number): number {
  let length = 0;
  for (const delta of choice.deltas.slice(0, step))
    if (delta.kind === "content") length += delta.token.length;
  return length;
}
