/** desk.ts with its styles. */
import styles from "../styles/files.css?inline";
import { addStyles } from "../late-code.ts";

export { filesToErase, FileBar, openDesk } from "./desk.ts";

addStyles(styles);
