/** In which day or month does a moment lie, in a tenant's own time zone? Pure; days of 23 and 25 hours included. */
export interface Calendar {
  readonly period: "day" | "month";
  /** An IANA name such as `Europe/Berlin`. */
  readonly timeZone: string;
}

/** From its first moment up to the next one's, in milliseconds since 1970. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

const dayMs = 86_400_000;
/** Longer than any period: more than this ahead, a clock has leapt. */
export const longestMs = { day: 2 * dayMs, month: 32 * dayMs } as const;
/** No zone is further from UTC. */
const farthestZoneMs = 15 * 3_600_000;

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name }).format(0);
    return true;
  } catch {
    // The constructor's RangeError is the only way to ask.
    return false;
  }
}

/** The period that `now` lies in. About 0.2 ms: asked once a period, not once a request. */
export function periodAt({ period, timeZone }: Calendar, now: number): Period {
  const { year, month, day } = localDate(timeZone, now);
  const [first, next] =
    period === "day"
      ? ([Date.UTC(year, month, day), Date.UTC(year, month, day + 1)] as const)
      : ([Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)] as const);
  return {
    startMs: Math.min(now, firstMoment(timeZone, first)),
    endMs: Math.max(now + 1, firstMoment(timeZone, next)),
  };
}

/** The date that the zone's calendar shows: `2026-11-30`. */
export function dateAt(timeZone: string, ms: number): string {
  const { year, month, day } = localDate(timeZone, ms);
  return new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);
}

/** The first moment at which the zone's calendar shows this date (given as midnight UTC) or a later one. */
function firstMoment(timeZone: string, dateMs: number): number {
  let before = dateMs - farthestZoneMs;
  let after = dateMs + farthestZoneMs;
  // A zone's midnight may not exist, nor even its day (Samoa left one out): searching needs no rules for that.
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    const { year, month, day } = localDate(timeZone, middle);
    if (Date.UTC(year, month, day) >= dateMs) after = middle;
    else before = middle;
  }
  return after;
}

const formats = new Map<string, Intl.DateTimeFormat>();
/** Zones that an isolate remembers: there are some 400. */
const maxFormats = 512;

function localDate(timeZone: string, ms: number): { year: number; month: number; day: number } {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      year: "numeric",
      month: "numeric",
      day: "numeric",
    });
    if (formats.size >= maxFormats) formats.clear();
    formats.set(timeZone, format);
  }
  const date = { year: 0, month: 0, day: 0 };
  for (const { type, value } of format.formatToParts(ms)) {
    if (type === "year" || type === "day") date[type] = Number(value);
    else if (type === "month") date.month = Number(value) - 1;
  }
  return date;
}
