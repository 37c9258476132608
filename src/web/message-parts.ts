/**
 * The code that messages and the navigation in a chat need, in one piece: the first question of a visit is asked before it is loaded.
 * Until then messages are plain text.
 */
import answer from "./styles/answer.css?inline";
import code from "./styles/code.css?inline";
import foot from "./styles/message-foot.css?inline";
import print from "./styles/print.css?inline";
import { addStyles } from "./late-code.ts";

export { DropHere } from "./files/drop-here.tsx";
export { EditMessage } from "./edit-message.tsx";
export { Markdown } from "./markdown.tsx";
export { MessageFoot } from "./message-foot.tsx";
export { EarlierMessages, LaterMessages } from "./more-messages.tsx";
export { recall } from "./prompt-history.ts";
export { QuoteButton } from "./quote-button.tsx";
export { Said } from "./said.tsx";
export { ToLatest } from "./to-latest.tsx";

addStyles(answer + code + foot + print);
