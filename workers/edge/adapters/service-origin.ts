/**
 * The origin router behind a service binding: the port `Origin` over HTTP to the private router Worker. The client's signal
 * becomes an abort of that request, which the router Worker sees as its own client going away, and aborts the engine.
 */
import type { LeaveSignal } from "../../../src/shared/contracts/leave-signal.ts";
import type { Background } from "../../../src/shared/contracts/background.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import {
  answerHeader,
  dispatchHeader,
  failureHeader,
  readAnswer,
  readFailure,
  writeDispatch,
} from "../../../src/shared/routing/envelope.ts";
import { goneFailure } from "../../../src/shared/routing/gone.ts";
import type {
  Origin,
  OriginAnswer,
  OriginFailure,
  OriginOutcome,
  OriginRequest,
} from "../../../src/shared/routing/ports.ts";

/** The router keeps the deadline itself; this is for a router that is gone. */
const graceMs = 1000;
const base = "http://origin-router";

export function serviceOrigin(binding: Pick<Fetcher, "fetch">, background: Background): Origin {
  return {
    dispatch: (request, signal) => dispatch(binding, background, request, signal),
    async probe(name) {
      const url = `${base}/ready?name=${encodeURIComponent(name)}`;
      const response = await binding.fetch(url, { signal: AbortSignal.timeout(2 * graceMs) });
      return response.status === 204;
    },
  };
}

async function dispatch(
  binding: Pick<Fetcher, "fetch">,
  background: Background,
  request: OriginRequest,
  signal: LeaveSignal,
): Promise<Result<OriginAnswer, OriginFailure>> {
  if (signal.aborted) return err(goneFailure(signal));
  const controller = new AbortController();
  const abandon = (): void => controller.abort();
  signal.addEventListener("abort", abandon, { once: true });
  const timer = setTimeout(abandon, request.deadlineMs + graceMs);
  const failed = (failure: OriginFailure): Result<OriginAnswer, OriginFailure> => {
    signal.removeEventListener("abort", abandon);
    return err(signal.aborted ? goneFailure(signal) : failure);
  };
  try {
    const response = await binding.fetch(`${base}/dispatch`, {
      method: "POST",
      headers: { [dispatchHeader]: writeDispatch(request) },
      body: request.body,
      signal: controller.signal,
    });
    const answer = readAnswer(response.headers.get(answerHeader));
    if (answer.ok && response.body !== null) {
      const { token, ...who } = answer.value;
      const close = (outcome: OriginOutcome): void => {
        signal.removeEventListener("abort", abandon);
        if (outcome === "done") return;
        // An answer that breaks while its client leaves is not its replica's fault, whatever its reader reports.
        if (outcome === "client-gone" || signal.aborted) controller.abort();
        else background.run("report an outcome", report(binding, token, outcome).finally(abandon));
      };
      return ok({
        ...who,
        status: response.status,
        contentType: response.headers.get("content-type") ?? "application/octet-stream",
        text: null,
        firstChunk: null,
        body: response.body,
        // The router notices that by itself.
        arrived: () => undefined,
        report: once(close),
      });
    }
    await response.body?.cancel();
    const failure = readFailure(response.headers.get(failureHeader));
    return failed(failure.ok ? failure.value : unreachable(`the router answered ${response.status}`));
  } catch (error) {
    return failed(unreachable(error instanceof Error ? error.name : "unknown error"));
  } finally {
    clearTimeout(timer);
  }
}

/** Tells the router why, so that the replica's breaker learns it; the router then aborts the engine itself. */
async function report(binding: Pick<Fetcher, "fetch">, token: string, outcome: OriginOutcome): Promise<void> {
  const url = `${base}/outcome?token=${token}&outcome=${outcome}`;
  await binding.fetch(url, { method: "POST", signal: AbortSignal.timeout(graceMs) });
}

function unreachable(detail: string): OriginFailure {
  return { kind: "origin-unavailable", retryAfterMs: 1000, detail: `origin router: ${detail}` };
}

function once(report: (outcome: OriginOutcome) => void): (outcome: OriginOutcome) => void {
  let reported = false;
  return (outcome) => {
    if (reported) return;
    reported = true;
    report(outcome);
  };
}
