/**
 * What the server keeps, in one piece of code: the list of chats, what was said in one, and what others write in it. A new chat's first
 * question needs none of it.
 */
import styles from "./styles/chat-entries.css?inline";
import { addStyles } from "./late-code.ts";

export { ConversationList } from "./conversation-list.tsx";
export { KeptThread } from "./kept-thread.ts";
export { watchTurns } from "./watch-turns.ts";

addStyles(styles);
