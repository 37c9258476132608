import type { DeliverEffect, TurnRunner } from "../../src/shared/turn/durable/ports.ts";
import type { Report } from "./outbox.ts";
import type { ContentParts } from "./turn-content.ts";

/** What a Generation object needs from its composition root. */
export interface GenerationParts {
  readonly runner: TurnRunner;
  readonly deliver: DeliverEffect;
  /** A structured line to the log: never content. */
  readonly report: Report;
  /** Where long texts of an ended turn go. `null`: they stay in the object. */
  readonly content: ContentParts | null;
}
