/** Who calls, and what every end-to-end test does with an answer, whichever product it asks. */
import { randomUUID } from "node:crypto";
import { makeToken } from "../../dev/commands/local-token.ts";

export type Tier = "free" | "pro" | "enterprise";

export interface Caller {
  readonly user?: string;
  readonly org?: string;
  readonly tier?: Tier;
}

/** A name that no other test uses. */
export function unique(prefix = "u"): string {
  return `${prefix}-${randomUUID()}`;
}

/** A new user unless one is named; its org too, so that no test spends another's allowance. */
export function tokenFor({ user = unique(), org = unique("o"), tier = "pro" }: Caller = {}): Promise<string> {
  return makeToken(["--tenant", "demo", "--user", user, "--org", org, "--tier", tier]);
}

/** Looks until it is so; for what happens behind a response, such as a settlement. The test's own time limit ends it. */
export async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The `data:` payloads of an SSE body, `[DONE]` included. */
export function dataOf(text: string): string[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice(6));
}
