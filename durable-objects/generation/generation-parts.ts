import type { DeliverEffect, TurnRunner } from "../../src/shared/turn/durable/ports.ts";
import type { Report } from "./outbox.ts";

/** What a Generation object asks of its composition root. */
export interface GenerationParts {
  readonly runner: TurnRunner;
  readonly deliver: DeliverEffect;
  /** A structured line to the log: never content. */
  readonly report: Report;
}
