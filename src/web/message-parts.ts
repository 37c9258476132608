/**
 * What a message and the way through a chat need once there is one, in one piece of code: a first visit asks its question before it is
 * there. Until then a message is its words.
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
