/**
 * The code for saved chats, in one piece: the list of chats, the messages of one, and the watch for other devices' turns. A new chat's first
 * question needs none of it.
 */
import styles from "./styles/chat-entries.css?inline";
import { addStyles } from "./late-code.ts";

export { ConversationList } from "./conversation-list.tsx";
export { KeptThread } from "./kept-thread.ts";
export { watchTurns } from "./watch-turns.ts";

addStyles(styles);
