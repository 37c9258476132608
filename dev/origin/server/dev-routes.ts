import * as z from "zod";
import type { ReasoningField } from "../api/chat-answer.ts";
import { describeIssues } from "../api/sampling.ts";
import { invalid } from "../engine/refusal.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { Exchange } from "./exchange.ts";
import { faultSchema, type FaultBoard } from "./faults.ts";
import type { RequestLog } from "./request-log.ts";

/** Routes for tests to control and inspect a replica: `/_dev/faults`, `/_dev/requests`, `/_dev/speed`. No real engine has them. */
export interface DevDeps {
  readonly faults: FaultBoard;
  /** Undefined when quiet. */
  readonly log: RequestLog | undefined;
  readonly settings: ReplicaSettings;
  readonly scheduler: Scheduler;
}

export interface ReplicaSettings {
  ttftMs: number;
  tokenMs: number;
  reasoningField: ReasoningField;
}

const speedSchema = z.strictObject({
  ttft_ms: z.number().min(0).optional(),
  token_ms: z.number().min(0).optional(),
  slots: z.int().min(1).optional(),
  reasoning_field: z.enum(["reasoning", "reasoning_content", "both"]).optional(),
});
const faultsSchema = z.union([z.array(faultSchema), faultSchema]);

/** False: no such route. */
export function devRoute(exchange: Exchange, method: string, body: unknown, deps: DevDeps): boolean {
  const { settings, scheduler, faults, log } = deps;
  switch (`${method} ${exchange.path}`) {
    case "GET /_dev/faults":
      break;
    case "POST /_dev/faults": {
      const parsed = faultsSchema.safeParse(body);
      if (!parsed.success) {
        refuse(exchange, parsed.error);
        return true;
      }
      for (const fault of [parsed.data].flat()) faults.add(fault);
      break;
    }
    case "DELETE /_dev/faults":
      faults.clear();
      break;
    case "DELETE /_dev/requests":
      log?.clear();
      exchange.sendJson(200, requestsJson(log));
      return true;
    case "GET /_dev/requests":
      exchange.sendJson(200, requestsJson(log));
      return true;
    case "GET /_dev/speed":
      exchange.sendJson(200, speedJson(settings, scheduler));
      return true;
    case "POST /_dev/speed": {
      const parsed = speedSchema.safeParse(body);
      if (!parsed.success) {
        refuse(exchange, parsed.error);
        return true;
      }
      settings.ttftMs = parsed.data.ttft_ms ?? settings.ttftMs;
      settings.tokenMs = parsed.data.token_ms ?? settings.tokenMs;
      settings.reasoningField = parsed.data.reasoning_field ?? settings.reasoningField;
      scheduler.slots = parsed.data.slots ?? scheduler.slots;
      exchange.sendJson(200, speedJson(settings, scheduler));
      return true;
    }
    default:
      return false;
  }
  exchange.sendJson(200, JSON.stringify({ faults: faults.list() }));
  return true;
}

function requestsJson(log: RequestLog | undefined): string {
  return JSON.stringify({ recording: log !== undefined, requests: log?.list() ?? [] });
}

function speedJson(settings: ReplicaSettings, scheduler: Scheduler): string {
  return JSON.stringify({
    ttft_ms: settings.ttftMs,
    token_ms: settings.tokenMs,
    slots: scheduler.slots,
    reasoning_field: settings.reasoningField,
  });
}

function refuse(exchange: Exchange, error: z.ZodError): void {
  const { message, param } = describeIssues(error);
  exchange.refuse(invalid(message, param).error);
}
