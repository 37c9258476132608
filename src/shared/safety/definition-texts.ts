/**
 * Which texts does a model read besides the messages? Descriptions of tools and of the answer's format: templates print both into
 * the prompt. Every string of such a value is screened, then its keys, since the client chooses the names of parameters.
 */
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { SafetyPolicy } from "./safety-policy.ts";
import { isUnscreened, screenPrompt, type ScreenDeps, type ScreenedPrompt } from "./screen-prompt.ts";

export type ScreenedWith<M, D> =
  | (Extract<ScreenedPrompt<M>, { kind: "passed" }> & { readonly definitions: D })
  | Extract<ScreenedPrompt<M>, { kind: "refused" }>;

/** Like `screenPrompt`, with the strings of `definitions` after the messages' texts. What doesn't change stays the same object. */
export function screenWith<M extends ChatMessage, D>(
  messages: readonly M[],
  definitions: D,
  policy: SafetyPolicy,
  deps: ScreenDeps,
): ScreenedWith<M, D> | Promise<ScreenedWith<M, D>> {
  if (isUnscreened(policy)) return { kind: "passed", messages, definitions, findings: [], unscreened: false };
  const texts = stringsOf(definitions);
  const described = { role: "system", content: texts.map((text) => ({ type: "text" as const, text })) };
  const said: readonly ChatMessage[] = texts.length === 0 ? messages : [...messages, described];
  const screening = screenPrompt(said, policy, deps);
  const apart = (screened: ScreenedPrompt<ChatMessage>): ScreenedWith<M, D> => {
    if (screened.kind === "refused") return screened;
    if (screened.messages === said) return { ...screened, messages, definitions };
    const own = screened.messages.slice(0, messages.length);
    return {
      ...screened,
      // A screen replaces texts and keeps the structure around them.
      messages: own.every((message, at) => message === messages[at]) ? messages : (own as unknown as M[]),
      definitions: texts.length === 0 ? definitions : withStrings(definitions, screened.messages.at(-1)),
    };
  };
  return screening instanceof Promise ? screening.then(apart) : apart(screening);
}

function stringsOf(value: unknown): string[] {
  const texts: string[] = [];
  const keys: string[] = [];
  const into =
    (list: string[]) =>
    (text: string): string => {
      list.push(text);
      return text;
    };
  mapStrings(value, into(texts), into(keys));
  return [...texts, ...keys];
}

function withStrings<D>(definitions: D, described: ChatMessage | undefined): D {
  const parts = (described?.content ?? []) as readonly { readonly text: string }[];
  const keys: string[] = [];
  let texts = 0;
  mapStrings(
    definitions,
    (text) => {
      texts += 1;
      return text;
    },
    (key) => {
      keys.push(key);
      return key;
    },
  );
  const names = namesApart(keys, (at) => parts[texts + at]?.text);
  let at = -1;
  const replaced: ReplaceText = (text) => {
    at += 1;
    // `required` names members: as these are called now.
    return names.get(text) ?? parts[at]?.text ?? text;
  };
  return mapStrings(definitions, replaced, (key) => names.get(key) ?? key) as D;
}

/** The new name of every key that is masked. Masks tell nothing apart: the second key of the same mask gets a number, or one would take the other's place. */
function namesApart(
  keys: readonly string[],
  maskedAt: (at: number) => string | undefined,
): ReadonlyMap<string, string> {
  const masked = keys.map((key, at) => [key, maskedAt(at) ?? key] as const);
  const taken = new Set(masked.filter(([key, mask]) => key === mask).map(([key]) => key));
  const names = new Map<string, string>();
  // Of each mask: to begin with 2 for every key would take ten seconds for ten thousand of them.
  const counts = new Map<string, number>();
  for (const [key, mask] of masked) {
    if (key === mask || names.has(key)) continue;
    let name = mask;
    let count = counts.get(mask) ?? 1;
    while (taken.has(name)) name = `${mask} (${(count += 1)})`;
    counts.set(mask, count);
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

type ReplaceText = (text: string) => string;

/** The names of JSON Schema's own members: they are not the client's words, and would outnumber everything else. */
const schemaWord = /^[$A-Za-z]+$/;

/** Recursion is safe here: the request's own bounds (wire/json-bounds.ts) end it. */
function mapStrings(value: unknown, replace: ReplaceText, replaceKey: ReplaceText): unknown {
  if (typeof value === "string") return replace(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = (value as readonly unknown[]).map((item) => mapStrings(item, replace, replaceKey));
    return items.every((item, at) => item === (value as readonly unknown[])[at]) ? value : items;
  }
  const entries = Object.entries(value).map(
    ([key, item]) =>
      [schemaWord.test(key) ? key : replaceKey(key), mapStrings(item, replace, replaceKey)] as const,
  );
  const before = value as Readonly<Record<string, unknown>>;
  return entries.every(([key, item]) => Object.hasOwn(before, key) && item === before[key])
    ? value
    : Object.fromEntries(entries);
}
