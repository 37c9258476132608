/** `npm run fleet:config -- put <file.json> | check <file.json> | get | delete`: the fleet document in KV. */
import { runDocumentCommand } from "./commands/document-command.ts";
import { fleetDocument } from "./commands/fleet-command.ts";

await runDocumentCommand(fleetDocument, "fleet:config");
