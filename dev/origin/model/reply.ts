import { filesOf, withoutFiles } from "./attached-files.ts";
import type { Conversation, Reply, Turn } from "./conversation.ts";
import { withoutMarks } from "./datamark.ts";
import { guardReply, isGuard } from "./guard.ts";
import { instanceOf } from "./json-instance.ts";
import { longText } from "./long-text.ts";
import { answerFrom, type Passage, passagesOf, withoutPassages } from "./passages.ts";
import { callsFor } from "./tool-use.ts";
import { gist } from "./words.ts";

/**
 * The stand-in's answer, in this order: the structure that the format demands; a tool call, if the question needs one; a
 * tool's result; cited text of the given passages; text of attached files; a requested length; else a description of the
 * input. It always says what it is, and the same conversation and variant always get the same answer.
 */
const openings = [
  "I am the stand-in model of the dev fleet, not a language model.",
  "This is the dev fleet's stand-in model; no language model is running here.",
  "You have reached the stand-in model of the dev fleet. It only tells what it received.",
] as const;

export function replyTo(asked: Conversation, variant: number): Reply {
  if (isGuard(asked.model)) return { reasoning: "", content: guardReply(asked), calls: [] };
  const files = filesOf(asked.turns);
  const conversation = files.length === 0 ? asked : { ...asked, turns: asked.turns.map(withoutFiles) };
  const question = questionOf(conversation.turns);
  const reasoning = conversation.reasoning ? thoughts(conversation, question) : "";
  const { format } = conversation;
  const calls = callsFor(conversation, question);
  if (calls.length > 0) return { reasoning, content: "", calls };
  if (format.kind === "json")
    return { reasoning, content: JSON.stringify(instanceOf(format.schema, question)), calls };
  if (format.kind === "choice") {
    const lower = question.toLowerCase();
    const chosen = format.choices.find((choice) => lower.includes(choice.toLowerCase()));
    return { reasoning, content: chosen ?? format.choices[0] ?? "", calls };
  }
  return { reasoning, content: words(conversation, files, question, variant), calls };
}

function words(
  conversation: Conversation,
  files: readonly Passage[],
  question: string,
  variant: number,
): string {
  const { turns } = conversation;
  const last = turns.at(-1);
  const opening = openings[variant % openings.length] ?? openings[0];
  if (last?.role === "tool") {
    const results = resultsAtEnd(turns).map((result) => gist(result, 600));
    return results.length === 1
      ? `${opening} The tool answered: ${results[0] ?? ""}`
      : `${opening} The tools answered:\n\n${results.map((result) => `- ${result}`).join("\n")}`;
  }
  const passages = passagesOf(turns);
  if (passages.length > 0) {
    const answer = answerFrom(passages, question);
    if (answer !== undefined) return `From the passages that I was given: ${answer}`;
    return `${opening} I was given ${passages.length} ${passages.length === 1 ? "passage" : "passages"}, and none of them answers this question.`;
  }
  const said = answerFrom(files, question);
  if (said !== undefined) return `From the files that came with the messages: ${said}`;
  const long = longText(question);
  if (long !== undefined) return long;
  const shown = shaped(question);
  return shown === undefined ? received(turns, files, question, opening) : `${opening}\n\n${shown}`;
}

function received(
  turns: readonly Turn[],
  files: readonly Passage[],
  question: string,
  opening: string,
): string {
  const system = turns
    .filter((turn) => turn.role === "system")
    .map((turn) => turn.text)
    .join(" ");
  const count = turns.length;
  const media = turns.flatMap((turn) => turn.media);
  const parts = [opening, `I received ${count} ${count === 1 ? "message" : "messages"}.`];
  if (system !== "") parts.push(`The system prompt says: "${gist(system, 80)}"`);
  if (media.length > 0)
    parts.push(
      `With it came ${media.length} media ${media.length === 1 ? "part" : "parts"}, which I cannot see.`,
    );
  if (files.length > 0) parts.push(`Of files came: ${files.map(({ label }) => label).join("; ")}.`);
  parts.push(
    question === "" ? "There is no text in the last user message." : `You wrote: "${gist(question, 200)}"`,
  );
  return parts.join(" ");
}

/** Markdown if requested, so that a chat page has something to render. */
function shaped(question: string): string | undefined {
  const subject = gist(question, 60);
  if (/\b(code|function|script|program|snippet)\b/i.test(question))
    return (
      "Here is some code that returns your question:\n\n```python\ndef question() -> str:\n" +
      `    return ${JSON.stringify(subject)}\n\nprint(question())\n\`\`\`\n\nRun it with \`python question.py\`.`
    );
  if (/\btable\b/i.test(question))
    return `| What | Value |\n| --- | --- |\n| your question | ${subject.replaceAll("|", "/")} |\n| its length | ${question.length} characters |`;
  if (/\b(list|bullets?|steps|enumerate)\b/i.test(question))
    return (
      `What I can say about "${subject}":\n\n1. **It arrived.** Its length is ${question.length} characters.\n` +
      "2. **It was read.** Every token of it was counted.\n3. **It was not understood.** For that, point `ORIGIN_URL` at a real model."
    );
  if (/\b(markdown|headings?)\b/i.test(question))
    return `## Your question\n\n> ${subject}\n\n### What happened\n\n- it was **received**\n- it was *counted*\n- it was answered by \`dev/origin\``;
  return undefined;
}

function thoughts(conversation: Conversation, question: string): string {
  const tools = conversation.tools.length;
  return (
    `The conversation has ${conversation.turns.length} messages and ${tools} tools. ` +
    `The question is: "${gist(question, 120)}" I am a stand-in, so I look for a tool, then for passages, and else tell what I received.`
  );
}

function questionOf(turns: readonly Turn[]): string {
  for (let at = turns.length - 1; at >= 0; at--) {
    const turn = turns[at];
    if (turn?.role === "user") return withoutPassages(turn.text);
  }
  return turns.at(-1)?.text ?? "";
}

function resultsAtEnd(turns: readonly Turn[]): string[] {
  const results: string[] = [];
  for (let at = turns.length - 1; at >= 0 && turns[at]?.role === "tool"; at--)
    results.unshift(turns[at]?.text ?? "");
  return results.map((result) => withoutMarks(result, result));
}
