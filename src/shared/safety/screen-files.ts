/**
 * Screens files that came with messages. Each is screened like a program's output (a message of the role `tool`), since its sender may not have
 * written it. Files come before the messages: if there is more text than can be judged in time, the files remain unjudged.
 */
import type { ChatMessage, ContentPart } from "../prompt/chat-message.ts";
import { type FilePart, isFilePart } from "../prompt/file-part.ts";
import type { ScreenedPrompt } from "./screen-prompt.ts";

/** @param screen screens messages without files; findings in a file are reported for its message */
export function screenBesideFiles<M extends ChatMessage>(
  messages: readonly M[],
  screen: <Said extends ChatMessage>(
    said: readonly Said[],
  ) => ScreenedPrompt<Said> | Promise<ScreenedPrompt<Said>>,
): ScreenedPrompt<M> | Promise<ScreenedPrompt<M>> {
  const files = broughtFiles(messages);
  if (files.length === 0) return screen(messages);
  const said: readonly ChatMessage[] = [...files.map(asBrought), ...messages];
  const placed = (at: number): number => files[at]?.of ?? at - files.length;
  const apart = (screened: ScreenedPrompt<ChatMessage>): ScreenedPrompt<M> => {
    const findings = screened.findings.map((finding) =>
      "message" in finding ? { ...finding, message: placed(finding.message) } : finding,
    );
    if (screened.kind === "refused")
      return {
        ...screened,
        findings,
        ...(screened.message === undefined ? {} : { message: placed(screened.message) }),
      };
    if (screened.messages === said) return { ...screened, messages, findings };
    // A screen replaces texts and keeps the structure around them.
    const own = screened.messages.slice(files.length) as unknown as readonly M[];
    return { ...screened, messages: withScreened(own, files, screened.messages), findings };
  };
  const screening = screen(said);
  return screening instanceof Promise ? screening.then(apart) : apart(screening);
}

interface BroughtFile {
  /** The index of its message. */
  readonly of: number;
  readonly file: FilePart;
}

function broughtFiles(messages: readonly ChatMessage[]): readonly BroughtFile[] {
  const files: BroughtFile[] = [];
  for (const [of, { content }] of messages.entries())
    if (Array.isArray(content))
      for (const part of content as readonly ContentPart[])
        if (isFilePart(part)) files.push({ of, file: part });
  return files;
}

/** Includes the file's name, which its author may have chosen. */
function asBrought({ file: { filename, texts } }: BroughtFile): ChatMessage {
  return { role: "tool", content: [filename, ...texts].map((text) => ({ type: "text" as const, text })) };
}

/** The messages with the screened texts of their files, in the order of `broughtFiles`. The same objects if nothing changed. */
function withScreened<M extends ChatMessage>(
  messages: readonly M[],
  files: readonly BroughtFile[],
  screened: readonly ChatMessage[],
): readonly M[] {
  let at = -1;
  const left = messages.map((message) => {
    const { content } = message;
    if (!Array.isArray(content)) return message;
    let isChanged = false;
    const parts = (content as readonly ContentPart[]).map((part) => {
      if (!isFilePart(part)) return part;
      at += 1;
      const [filename = "", ...texts] = textsOf(screened[at]);
      if (filename === part.filename && texts.every((text, page) => text === part.texts[page])) return part;
      isChanged = true;
      return { ...part, filename, texts };
    });
    return isChanged ? { ...message, content: parts } : message;
  });
  if (at + 1 !== files.length) throw new Error("a screen lost a file");
  return left;
}

function textsOf(message: ChatMessage | undefined): readonly string[] {
  const { content } = message ?? {};
  if (!Array.isArray(content)) throw new Error("a screen lost a file's texts");
  return (content as readonly { readonly text: string }[]).map(({ text }) => text);
}
