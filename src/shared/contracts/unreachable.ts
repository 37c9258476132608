/**
 * Thrown by ports that reject when a part of this service can't be reached. No invariant is broken: the client gets 503 and may retry, and
 * the message goes to the log.
 */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  readonly component: string;

  constructor(component: string, cause: unknown) {
    super(String(cause), { cause });
    this.component = component;
  }
}

/** @param component its name for the log and the metrics */
export async function reached<T>(component: string, asking: () => Promise<T>): Promise<T> {
  try {
    return await asking();
  } catch (error) {
    throw new Unreachable(component, error);
  }
}
