import type { Conversation, Tool, ToolCall, Turn } from "./conversation.ts";
import { expressionIn } from "./hints.ts";
import { instanceOf, isFields } from "./json-instance.ts";
import { meaningfulWords, overlap, spacedName } from "./words.ts";

/**
 * Does the question need one of the offered tools, and with which arguments? A tool is called if the question names it, or
 * shares words with its name and description. A JSON object in the question becomes the arguments unchanged, so that tests
 * control them; others are filled from the question by the tool's schema.
 */
const likeness: readonly { readonly question: RegExp; readonly tool: RegExp }[] = [
  {
    question: /\d\s*[-+*/^×÷%]\s*[\d(]|\bcalculat|\bsquare root|\bpercent/i,
    tool: /calculat|arithmetic|\bmath|expression/i,
  },
  { question: /\bhow many\b|\bquery the\b|\btable\b|\bdatabase\b|\bsql\b/i, tool: /\bsql\b|database/i },
  {
    question: /\bsearch\b|\blatest\b|\bnews\b|\bon the web\b|\blook up\b/i,
    tool: /web.?search|search the web|internet/i,
  },
  {
    question: /\bwhat time\b|\bcurrent time\b|\btoday's date\b|\bdate today\b/i,
    tool: /\btime\b|\bdate\b|clock/i,
  },
];

/** The calls that the model makes now; empty when it answers in words. */
export function callsFor(conversation: Conversation, question: string): ToolCall[] {
  const { tools, toolChoice } = conversation;
  if (toolChoice.kind === "none" || tools.length === 0) return [];
  if (toolChoice.kind === "named") {
    const tool = tools.find((candidate) => candidate.name === toolChoice.name);
    return tool === undefined ? [] : [callOf(tool, question)];
  }
  const done = callsSinceQuestion(conversation.turns);
  const ranked = tools
    .map((tool) => ({ tool, score: need(tool, question, done.size > 0) }))
    .filter(({ tool, score }) => score > 0 && !done.has(tool.name))
    .sort((left, right) => right.score - left.score);
  const best = ranked[0];
  if (best === undefined) {
    const fallback = tools[0];
    return toolChoice.kind === "required" && fallback !== undefined ? [callOf(fallback, question)] : [];
  }
  const together = conversation.parallelCalls ? ranked.filter(({ score }) => score >= named) : [];
  return (together.length > 1 ? together : [best]).map(({ tool }) => callOf(tool, question));
}

/** The score of a tool that the question names outright. */
const named = 100;

/** 0: not needed. After a first result only a tool that the question names is called. */
function need(tool: Tool, question: string, later: boolean): number {
  const name = spacedName(tool.name).toLowerCase();
  const lower = question.toLowerCase();
  if (lower.includes(tool.name.toLowerCase()) || (name.includes(" ") && lower.includes(name))) return named;
  if (later) return 0;
  const asked = meaningfulWords(question);
  const about = `${name} ${tool.description}`;
  const byName = overlap(asked, meaningfulWords(name));
  const byDescription = overlap(asked, meaningfulWords(tool.description));
  const alike = likeness.some((pair) => pair.question.test(question) && pair.tool.test(about)) ? 3 : 0;
  const score = byName * 2 + byDescription + alike;
  return score >= 2 ? score : 0;
}

function callOf(tool: Tool, question: string): ToolCall {
  const schema = tool.parameters ?? { type: "object", properties: {} };
  const written = writtenArguments(question, schema);
  if (written !== undefined) return { name: tool.name, arguments: written };
  return { name: tool.name, arguments: filled(schema, question) };
}

/** Required arguments, and optional ones that the question mentions. */
function filled(schema: Exclude<Tool["parameters"], undefined>, question: string): unknown {
  if (!isFields(schema) || !isFields(schema["properties"])) return {};
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"].map(String) : []);
  const words = meaningfulWords(question);
  const kept = Object.entries(schema["properties"]).filter(
    ([name, part]) =>
      required.has(name) ||
      overlap(words, meaningfulWords(spacedName(name))) > 0 ||
      (isFields(part) &&
        Array.isArray(part["enum"]) &&
        part["enum"].some((value) => words.has(String(value)))),
  );
  const only = kept.length === 1 ? kept[0] : undefined;
  const expression = expressionIn(question);
  const shape = { ...schema, properties: Object.fromEntries(kept) };
  const value = instanceOf(shape, question);
  // A single text argument gets the expression, or else the whole question, if nothing better was found.
  if (only !== undefined && isFields(only[1]) && only[1]["type"] === "string" && isFields(value)) {
    const text = value[only[0]];
    const bare = only[1]["enum"] === undefined && only[1]["pattern"] === undefined;
    if (bare && typeof text === "string" && text.startsWith("stand-in"))
      return { ...value, [only[0]]: expression ?? question };
  }
  return value;
}

function writtenArguments(question: string, schema: Exclude<Tool["parameters"], undefined>): unknown {
  const start = question.indexOf("{");
  const end = question.lastIndexOf("}");
  if (start === -1 || end < start) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(question.slice(start, end + 1));
  } catch {
    // Braces in prose are not arguments.
    return undefined;
  }
  if (!isFields(value)) return undefined;
  const known = isFields(schema) && isFields(schema["properties"]) ? schema["properties"] : {};
  return Object.keys(value).every((key) => key in known) ? value : undefined;
}

function callsSinceQuestion(turns: readonly Turn[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const turn of [...turns].reverse()) {
    if (turn.role === "user") break;
    for (const call of turn.calls) names.add(call.name);
  }
  return names;
}
