import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { ObjectBreaker } from "./object-breaker.ts";

/** The object could not be asked. An outcome that it *returned* is never one of these. */
export interface ObjectUnreachable {
  readonly kind: "object-unreachable";
  /** Its queue is full: more calls would make it worse. */
  readonly overloaded: boolean;
  readonly retryAfterMs: number;
  readonly detail: string;
}

/** Which object is called. */
export interface CalledObject {
  readonly breaker: ObjectBreaker;
  readonly name: string;
}

/** One per kind of object and isolate: plain numbers, which requests may share. */
const breakers = {
  conversation: new ObjectBreaker(),
  "conversation-index": new ObjectBreaker(),
  "completion-index": new ObjectBreaker(),
  "semantic-index": new ObjectBreaker(),
  generation: new ObjectBreaker(),
  batch: new ObjectBreaker(),
  library: new ObjectBreaker(),
  "knowledge-base": new ObjectBreaker(),
  "usage-book": new ObjectBreaker(),
};

export function calledObject(kind: keyof typeof breakers, name: string): CalledObject {
  return { breaker: breakers[kind], name };
}

const jitterMs = 100;

/**
 * Calls an object whose method is idempotent: one retry with jitter if the platform calls the failure retryable, none if the object is
 * overloaded, and no call at all while the breaker of its kind is open.
 *
 * @param call makes its stub anew: a stub that failed stays broken
 * @param object the object whose breaker counts it. Only the platform's failures count, never an error that our code threw there
 */
export async function callObject<T>(
  call: () => Promise<T>,
  object: CalledObject | null = null,
): Promise<Result<T, ObjectUnreachable>> {
  const waitMs = object?.breaker.waitMs(Date.now()) ?? 0;
  if (waitMs > 0)
    return err({
      kind: "object-unreachable",
      overloaded: false,
      retryAfterMs: Math.max(1000, waitMs),
      detail: "its kind is out of reach: the breaker is open",
    });
  for (let attempt = 0; ; attempt += 1) {
    try {
      const value = await call();
      object?.breaker.succeeded();
      return ok(value);
    } catch (error) {
      const {
        retryable = false,
        overloaded = false,
        remote = false,
      } = error as { retryable?: boolean; overloaded?: boolean; remote?: boolean };
      if (!retryable || overloaded || attempt > 0) {
        if (retryable && !overloaded) object?.breaker.failed(object.name, Date.now());
        // Our own code threw in the object, so the object was reached.
        else if (remote && !overloaded) object?.breaker.succeeded();
        return err({
          kind: "object-unreachable",
          overloaded,
          retryAfterMs: overloaded ? 5000 : 1000,
          detail: String(error),
        });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * jitterMs));
    }
  }
}
