/** The files that a chat's messages bring, and the messages with their texts in place of them. */
import type { FileText } from "../prompt/file-part.ts";
import type { ChatMessage, UserContentPart } from "../wire/chat-messages.ts";
import type { AttachedFile } from "./read-attached.ts";

/** None for nearly every chat: then nothing is made. */
export function filesOfChat(messages: readonly ChatMessage[]): readonly AttachedFile[] {
  const files: AttachedFile[] = [];
  for (const [at, { role, content }] of messages.entries()) {
    if (role !== "user" || typeof content === "string") continue;
    for (const [partAt, part] of content.entries())
      if (part.type === "file")
        files.push({ file: part.file, place: `messages[${at}].content[${partAt}].file` });
  }
  return files;
}

/** @param texts of `filesOfChat`, in its order */
export function withFileTexts(messages: readonly ChatMessage[], texts: readonly FileText[]): ChatMessage[] {
  const left = texts[Symbol.iterator]();
  const read = (part: UserContentPart): UserContentPart => {
    if (part.type !== "file") return part;
    const { value } = left.next();
    if (value === undefined) throw new Error("a file has no text");
    return { type: "file_text", ...value };
  };
  return messages.map((message) =>
    message.role === "user" && typeof message.content !== "string"
      ? { ...message, content: message.content.map(read) }
      : message,
  );
}
