/** Is what was answered in place of a 200 an error in OpenAI's form, and one that a client may meet: no 5xx, and no limit, where there are none? */
import { errorSchema } from "../../../src/shared/wire/responses.ts";
import { hasOpenAiSchema, openAiComplaints } from "../../node/openai-schema.ts";

export interface Refused {
  /** The status with the error's code, for the run's summary. */
  readonly outcome: string;
  readonly code: string | null;
  /** What is wrong with it; `null`: nothing. */
  readonly fault: string | null;
}

export function readRefused(status: number, text: string): Refused {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { outcome: `${status}`, code: null, fault: `status ${status} is not JSON: ${text.slice(0, 200)}` };
  }
  const error = errorSchema.safeParse(parsed);
  if (!error.success)
    return { outcome: `${status} ?`, code: null, fault: `not OpenAI's form: ${text.slice(0, 300)}` };
  const { code } = error.data.error;
  const [complaint] = hasOpenAiSchema ? openAiComplaints("ErrorResponse", parsed) : [];
  const isUnplanned = status >= 500 || status === 429;
  return {
    outcome: `${status} ${code}`,
    code,
    fault: complaint ?? (isUnplanned ? text.slice(0, 300) : null),
  };
}
