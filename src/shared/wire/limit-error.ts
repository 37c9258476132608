/** The error for a request that a limit refuses. */
import type { LimitRefusal } from "../contracts/refusal.ts";
import { formatDuration } from "./durations.ts";
import { retryAfter, wire, type WireError } from "./wire-error.ts";

export function limitError(limit: LimitRefusal): WireError {
  const quota = limit.class === "quota";
  const headers: Record<string, string> = { ...retryAfter(limit.retryAfterMs), ...standing(limit) };
  if (quota) headers["x-should-retry"] = "false";
  const whose = limit.scope === "key" ? "API key" : limit.scope;
  const fits =
    limit.largestMaxTokens > 0
      ? `The largest max_tokens that fits now is ${limit.largestMaxTokens}.`
      : "No max_tokens fits now.";
  const message =
    `${quota ? "Quota used up" : "Rate limit reached"}: ${limit.limit} of your ${whose} is ` +
    `${amount(limit.capacity, limit.unit)}, ${left(limit)} left. The same request is let in again in ` +
    `${formatDuration(limit.retryAfterMs)}; the limit is whole again in ${formatDuration(limit.resetMs)}. ${fits}`;
  return quota
    ? wire(429, "insufficient_quota", "insufficient_quota", null, message, headers)
    : wire(
        429,
        limit.unit === "tokens" ? "tokens" : "requests",
        "rate_limit_exceeded",
        null,
        message,
        headers,
      );
}

/** The headers for the limit that refused, the tightest of its unit. Slots and money have no such headers. */
function standing(limit: LimitRefusal): Record<string, string> {
  const { unit } = limit;
  if (unit !== "requests" && unit !== "tokens") return {};
  return {
    [`x-ratelimit-limit-${unit}`]: String(limit.capacity),
    [`x-ratelimit-remaining-${unit}`]: left(limit),
    [`x-ratelimit-reset-${unit}`]: formatDuration(limit.resetMs),
    [`x-ratelimit-window-${unit}`]: `${limit.scope}/${limit.limit}`,
  };
}

function amount(count: number, unit: LimitRefusal["unit"]): string {
  switch (unit) {
    case "requests":
    case "tokens":
      return `${count} ${unit}`;
    case "slots":
      return `${count} requests at once`;
    case "microdollars":
      return dollars(count);
  }
}

function left({ remaining, unit }: LimitRefusal): string {
  const whole = Math.max(0, Math.floor(remaining));
  return unit === "microdollars" ? dollars(whole) : String(whole);
}

/** In cents, or more precisely if necessary. */
function dollars(microdollars: number): string {
  return `$${(microdollars / 1_000_000).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 6 })}`;
}
