import { formatDuration } from "../wire/durations.ts";
import type { LimitStanding } from "./ports.ts";

/**
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI writes them, of the limit nearest to refusal among
 * all windows of the user's and the org's; `x-ratelimit-window-…` (ours) says which that is. A unit without a limit
 * (`Infinity`) has no headers.
 */
export function rateLimitHeaders(standing: LimitStanding): [name: string, value: string][] {
  const headers: [string, string][] = [];
  const { requests, tokens } = standing;
  if (requests.limit !== Infinity)
    headers.push(
      ["x-ratelimit-limit-requests", String(requests.limit)],
      ["x-ratelimit-remaining-requests", String(requests.remaining)],
      ["x-ratelimit-reset-requests", formatDuration(requests.resetMs)],
      ["x-ratelimit-window-requests", requests.name],
    );
  if (tokens.limit !== Infinity)
    headers.push(
      ["x-ratelimit-limit-tokens", String(tokens.limit)],
      ["x-ratelimit-remaining-tokens", String(tokens.remaining)],
      ["x-ratelimit-reset-tokens", formatDuration(tokens.resetMs)],
      ["x-ratelimit-window-tokens", tokens.name],
    );
  return headers;
}
