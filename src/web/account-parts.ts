/** Everything beside chatting in one piece of code, loaded late: the account's menu, the sheets over the page, the keys. */
import menu from "./styles/menu.css?inline";
import sheets from "./styles/sheets.css?inline";
import { addStyles } from "./late-code.ts";

export { Account } from "./account.tsx";

addStyles(menu + sheets);
