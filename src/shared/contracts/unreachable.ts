/**
 * What a port throws that rejects where a part of this service can't be asked. No invariant of ours is broken: whoever waits for it is told
 * 503, to try again, and what its words were goes to the log.
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
