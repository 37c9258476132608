/**
 * The router Worker's HTTP side: an envelope in, the engine's bytes or a tagged failure out. Nothing here chooses a replica;
 * that is src/shared/routing/origin-router.ts, the same module as in the edge Worker's process.
 */
import type { PoolAction, PoolControl } from "../../src/shared/routing/pool/pool-action.ts";
import type { PoolSite } from "../../src/shared/routing/pool/pool-site.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { BoundedMap } from "../../src/shared/isolate/bounded-map.ts";
import {
  answerHeader,
  dispatchHeader,
  failureHeader,
  failureStatus,
  readDispatch,
  readOutcome,
  writeAnswer,
  writeFailure,
} from "../../src/shared/routing/envelope.ts";
import type { Origin, OriginAnswer, OriginFailure, OriginOutcome } from "../../src/shared/routing/ports.ts";

/**
 * Answers on their way through this isolate, and those that have just gone through it, by token, so that the edge can say how one
 * ended: only it reads them.
 */
export type RunningAnswers = Map<string, (outcome: OriginOutcome) => void>;

/** Answers that counted as whole before the edge had said how they ended, the latest of them: it may say otherwise yet. */
export type EndedAnswers = BoundedMap<string, (outcome: OriginOutcome) => void>;

export interface DispatchServer {
  readonly origin: Origin;
  readonly running: RunningAnswers;
  readonly ended: EndedAnswers;
  readonly background: Background;
  /** Requests of this isolate that are at a replica. */
  readonly inFlight: () => number;
  /** Resolves when an answer whose last byte was handed over counts as whole, where the edge has not said otherwise. */
  readonly untilWhole: () => Promise<void>;
  /** Null: this Worker has no pools. */
  readonly pools: PoolControl | null;
}

/** `POST /dispatch`, `POST /outcome?token=…&outcome=…`, `GET /ready?name=…`, `GET /in-flight`, `GET` and `POST /pool?cluster=…`. */
export async function serveRequest(request: Request, server: DispatchServer): Promise<Response> {
  const url = new URL(request.url);
  switch (`${request.method} ${url.pathname}`) {
    case "POST /dispatch":
      return dispatch(request, server);
    case "POST /outcome": {
      const outcome = readOutcome(url.searchParams.get("outcome") ?? "");
      // A token of another isolate is unknown here; the edge's abort reaches that one too, only without the reason.
      const token = url.searchParams.get("token") ?? "";
      if (outcome !== null) (server.running.get(token) ?? server.ended.get(token))?.(outcome);
      return new Response(null, { status: 204 });
    }
    case "GET /ready": {
      const ready = await server.origin.probe(url.searchParams.get("name") ?? "");
      return new Response(null, { status: ready ? 204 : 503 });
    }
    case "GET /in-flight":
      return Response.json({ inFlight: server.inFlight() });
    case "GET /pool":
    case "POST /pool":
      return servePool(request, siteOf(url.searchParams), server.pools);
    default:
      return new Response(null, { status: 404 });
  }
}

/** Only the edge Worker calls this, after it has checked the admin's scope and what is asked for. */
async function servePool(request: Request, site: PoolSite, pools: PoolControl | null): Promise<Response> {
  if (pools === null) return new Response("this router has no pools", { status: 404 });
  if (request.method === "GET") return Response.json(await pools.status(site));
  return Response.json(await pools.act(site, await request.json<PoolAction>()));
}

function siteOf(query: URLSearchParams): PoolSite {
  const degrees = (name: string): number => Number(query.get(name) ?? 0);
  return {
    id: query.get("cluster") ?? "",
    latitude: degrees("latitude"),
    longitude: degrees("longitude"),
  };
}

async function dispatch(request: Request, server: DispatchServer): Promise<Response> {
  const envelope = readDispatch(request.headers.get(dispatchHeader));
  if (!envelope.ok) return new Response(envelope.error, { status: 400 });
  const body = await request.text();
  const result = await server.origin.dispatch({ ...envelope.value, body }, request.signal);
  return result.ok ? answered(result.value, server) : failed(result.error);
}

function failed(failure: OriginFailure): Response {
  return new Response(null, {
    status: failureStatus(failure),
    headers: { [failureHeader]: writeFailure(failure) },
  });
}

function answered(
  answer: OriginAnswer,
  { running, ended, background, untilWhole }: DispatchServer,
): Response {
  const token = crypto.randomUUID();
  const { status, contentType, cluster, replica, attempts, tried, text, firstChunk, body } = answer;
  const told = Promise.withResolvers<void>();
  let isTold = false;
  running.set(token, (outcome) => {
    isTold = true;
    answer.report(outcome);
    told.resolve();
  });
  let relayed: ReadableStream<Uint8Array> | Uint8Array | string | null = text ?? firstChunk;
  let relaying = Promise.resolve(true);
  if (body !== null) {
    const { readable, writable } = new IdentityTransformStream();
    relayed = readable;
    relaying = relay(answer, body, writable);
  }
  const ending = relaying
    .then(async (isHandedOver) => {
      if (!isHandedOver) return;
      // The replica has done its part, so its slot is free. A stream that was cut off, and a page that is no answer, look like this too.
      answer.arrived();
      await Promise.race([told.promise, untilWhole()]);
      answer.report("done");
      if (!isTold && answer.amend !== undefined) ended.set(token, answer.amend);
    })
    .finally(() => running.delete(token));
  background.run("relay an answer", ending);
  return new Response(relayed, {
    status,
    headers: {
      "content-type": contentType,
      [answerHeader]: writeAnswer({
        cluster,
        replica,
        attempts,
        ...(tried !== undefined && { tried }),
        token,
      }),
    },
  });
}

/** The chunk in hand, then the rest by the runtime itself. True: all was handed over; else how it ended is reported. */
async function relay(
  answer: OriginAnswer,
  body: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
): Promise<boolean> {
  if (answer.firstChunk !== null && !(await wrote(writable, answer.firstChunk))) {
    answer.report("client-gone");
    return false;
  }
  try {
    await body.pipeTo(writable);
    return true;
  } catch {
    answer.report((await brokeItself(body)) ? "origin-error" : "client-gone");
    return false;
  }
}

async function wrote(writable: WritableStream<Uint8Array>, chunk: Uint8Array): Promise<boolean> {
  const writer = writable.getWriter();
  try {
    await writer.write(chunk);
    return true;
  } catch {
    // The reader at the other end is gone; there is nothing else that a write can fail of.
    return false;
  } finally {
    writer.releaseLock();
  }
}

/** After a pipe failed: a source that broke stays broken; one whose reader left was cancelled, which closes it. */
async function brokeItself(body: ReadableStream<Uint8Array>): Promise<boolean> {
  const reader = body.getReader();
  return reader.closed.then(
    () => false,
    () => true,
  );
}
