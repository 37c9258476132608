import { err, ok, type Result } from "../../src/shared/contracts/result.ts";

/** The object could not be asked. An outcome that it *returned* is never one of these. */
export interface ObjectUnreachable {
  readonly kind: "object-unreachable";
  /** Its queue is full: more calls would make it worse. */
  readonly overloaded: boolean;
  readonly retryAfterMs: number;
  readonly detail: string;
}

const jitterMs = 100;

/**
 * Calls an object that is idempotent: one retry with jitter where the platform calls the failure retryable, none where
 * the object is overloaded.
 *
 * @param call makes its stub anew: a stub that failed stays broken
 */
export async function callObject<T>(call: () => Promise<T>): Promise<Result<T, ObjectUnreachable>> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return ok(await call());
    } catch (error) {
      const { retryable = false, overloaded = false } = error as {
        retryable?: boolean;
        overloaded?: boolean;
      };
      if (!retryable || overloaded || attempt > 0)
        return err({
          kind: "object-unreachable",
          overloaded,
          retryAfterMs: overloaded ? 5000 : 1000,
          detail: String(error),
        });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * jitterMs));
    }
  }
}
