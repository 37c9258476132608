/** `npm run firewall -- put <file.json> | check <file.json> | get | delete`: the platform's firewall in KV. */
import { runDocumentCommand } from "./commands/document-command.ts";
import { firewallDocument } from "./commands/firewall-command.ts";

await runDocumentCommand(firewallDocument, "firewall");
