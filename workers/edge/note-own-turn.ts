/**
 * Records a turn that the service itself started (a conversation's title, its summary) when it has ended. It is charged like any other, so
 * it is in the log, the metrics and the archive's ledger as well.
 */
import type { Background } from "../../src/shared/contracts/background.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { logLine } from "../../src/shared/telemetry/request-record.ts";
import type { TurnEnding } from "../../src/shared/turn/answer-direct.ts";
import { archivePolicy, chargeOf } from "../../src/shared/turn/durable/archive-effect.ts";
import { runRecord } from "../../src/shared/turn/durable/run-record.ts";
import type { LiveTurn } from "../../src/shared/turn/open-turn.ts";
import { turnFactsOf } from "../../src/shared/turn/turn-facts.ts";
import type { Isolate } from "./isolate.ts";

export function noteOwnTurn(
  isolate: Isolate,
  turn: LiveTurn,
  ending: TurnEnding,
  fleet: FleetIndex,
  background: Background,
): void {
  const nowMs = isolate.now();
  const record = runRecord(turn, ending.end, ending, {}, nowMs);
  isolate.log.add(logLine(record), background, nowMs);
  isolate.metrics.record(record, background);
  if (!isolate.archive.isOn || archivePolicy(turn.tenant) === "nothing") return;
  const facts = turnFactsOf(turn, fleet, ending, null, nowMs);
  const charge = chargeOf({ ...turn, endpoint: record.endpoint, conversation: null }, facts, "direct");
  isolate.directRows.add({ ...charge, conversation: null, items: [] }, background);
}
