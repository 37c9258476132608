/** Limits, what is left of them, and what was used: reads `GET /v1/usage` and puts it into words. */
import { call, isRecord, json, textOf } from "./api.ts";
import { duration } from "./duration.ts";

export interface Limit {
  /** Such as "Messages an hour". */
  readonly name: string;
  /** The used share, from 0 to 1. */
  readonly share: number;
  /** Such as "12 of 100 used". */
  readonly used: string;
  /** When the limit is whole again; `null`: it is already, or that is unknown. */
  readonly whole: string | null;
}

export interface ModelUse {
  readonly model: string;
  readonly messages: string;
  readonly tokens: string;
  readonly cost: string;
}

export interface Usage {
  readonly own: readonly Limit[];
  readonly organisation: readonly Limit[];
  /** In this calendar month. */
  readonly models: readonly ModelUse[];
}

/** Throws an ApiError. */
export async function loadUsage(token: string): Promise<Usage> {
  return usageIn(await (await call("/v1/usage", { headers: json(token) })).json());
}

export function usageIn(body: unknown): Usage {
  const [user, org] = isRecord(body) ? [body["user"], body["org"]] : [];
  return { own: limitsIn(user), organisation: limitsIn(org), models: entries(user, "models").map(modelIn) };
}

/** The limit nearest to exhaustion comes first. */
function limitsIn(scope: unknown): readonly Limit[] {
  return entries(scope, "limits")
    .map(limitIn)
    .toSorted((left, right) => right.share - left.share);
}

function limitIn(limit: Record<string, unknown>): Limit {
  const most = numberOf(limit["limit"]);
  const used = numberOf(limit["used"]);
  const resetMs = numberOf(limit["reset_ms"]);
  const isMoney = limit["unit"] === "usd";
  const shown = (amount: number): string => (isMoney ? dollars(amount) : amount.toLocaleString("en"));
  const isShort = used === 0 || limit["unit"] === "concurrent_requests";
  return {
    name: limitName(textOf(limit["name"])) + (limit["of"] === "key" ? " (this key)" : ""),
    share: most === 0 ? 1 : Math.min(1, used / most),
    used: `${shown(used)} of ${shown(most)} used`,
    whole: isShort || resetMs <= 0 ? null : `Full again in ${duration(Math.ceil(resetMs / 1000))}`,
  };
}

const things: Readonly<Record<string, string>> = { requests: "Messages", tokens: "Tokens", cost: "Cost" };
const articles: Readonly<Record<string, string>> = { hour: "an" };

/** Words for a limit's name in the API; a name of another form stays unchanged. */
function limitName(name: string): string {
  if (name === "concurrent_requests") return "Answers at the same time";
  const [, thing = "", period = ""] = /^(requests|tokens|cost)_per_([a-z]+)/.exec(name) ?? [];
  const words = things[thing];
  return words === undefined ? name : `${words} ${articles[period] ?? "a"} ${period}`;
}

function modelIn(use: Record<string, unknown>): ModelUse {
  return {
    model: textOf(use["model"]),
    messages: numberOf(use["requests"]).toLocaleString("en"),
    tokens: numberOf(use["tokens"]).toLocaleString("en"),
    cost: dollars(numberOf(use["cost_usd"])),
  };
}

/** Precise below a cent, which a few answers don't reach. */
function dollars(amount: number): string {
  return amount.toLocaleString("en", {
    style: "currency",
    currency: "USD",
    maximumFractionDigits: amount > 0 && amount < 1 ? 4 : 2,
  });
}

function entries(scope: unknown, field: string): readonly Record<string, unknown>[] {
  const list: unknown = isRecord(scope) ? scope[field] : null;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
