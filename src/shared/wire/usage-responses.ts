/** What do the answers on usage and limits look like? Ours: OpenAI has none for these. Schemas for the documentation and for tests. */
import * as z from "zod";

const usedTally = z.lazy(() =>
  z.looseObject({
    requests: z.int().min(0),
    tokens: z.int().min(0),
    cost_usd: z.number().min(0),
  }),
);

const limitUnit = z.enum(["requests", "tokens", "concurrent_requests", "usd"]);

const scopeUsage = z.lazy(() =>
  z.looseObject({
    limits: z.array(
      z.looseObject({
        name: z.string().meta({ description: "Such as requests_per_hour." }),
        of: z.literal("key").optional().meta({ description: "It is the API key's own limit." }),
        unit: limitUnit,
        limit: z.number().min(0),
        used: z
          .number()
          .min(0)
          .meta({ description: "Of the window: what was set aside and is not settled yet counts." }),
        remaining: z.number().min(0),
        reset_ms: z.number().min(0).meta({ description: "Until it is whole again." }),
      }),
    ),
    used: usedTally.meta({ description: "Settled since `since_ms`, exactly." }),
    reserved: usedTally.meta({ description: "Set aside for what is not settled yet." }),
    unsettled: usedTally.meta({ description: "Set aside and never settled: stays charged as estimated." }),
    unaccounted: usedTally.meta({ description: "The most that a crash may have made us forget." }),
    models: z
      .array(usedTally.unwrap().extend({ model: z.string() }))
      .meta({ description: "By model, in the calendar month of the tenant's time zone." }),
  }),
);

/** `GET /v1/usage`: ours, since OpenAI has none for this. */
export const usageReportSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("usage"),
    tier: z.string(),
    time_zone: z.string().meta({ description: "Whose days and months count." }),
    user: scopeUsage,
    org: scopeUsage,
  }),
);

/** `GET /admin/usage`. A group that was not asked for is `null` in each line. */
export const tenantUsageSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("list"),
    tenant: z.string(),
    time_zone: z.string().meta({ description: "Whose days these are." }),
    from: z.iso.date(),
    until: z.iso.date().meta({ description: "Not part of the range." }),
    data: z.array(
      usedTally.unwrap().extend({
        object: z.literal("usage_total"),
        date: z.iso.date().nullable(),
        org: z.string().nullable(),
        model: z.string().nullable(),
      }),
    ),
    total: usedTally.meta({ description: "Of the whole range, not of the page." }),
    has_more: z.boolean(),
    next_after: z.string().nullable(),
  }),
);

const limitTable = z.lazy(() =>
  z.array(
    z.looseObject({
      name: z.string(),
      unit: limitUnit,
      limit: z.number(),
      refill: z.string(),
      largest_loan: z
        .number()
        .meta({ description: "What one isolate may be lent at a time; 0: nothing is lent." }),
      most_left_unused_by_loans: z
        .number()
        .meta({ description: "However many isolates there are, loans leave at most so much unused." }),
      most_in_one_region: z
        .number()
        .optional()
        .meta({ description: "Of an org's limits: so much of that lies in one region's stock at most." }),
    }),
  ),
);

/** `GET /admin/limits`. */
export const limitsReportSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("limits"),
    tenant: z.string(),
    time_zone: z.string(),
    tiers: z.record(z.string(), z.strictObject({ user: limitTable, org: limitTable })),
    loan_seconds: z.number(),
    when_exhausted: z.enum(["stop", "finish"]),
    when_unreachable: z.looseObject({ policy: z.enum(["closed", "open"]) }),
    bucket: scopeUsage
      .unwrap()
      .extend({
        scope: z.enum(["user", "org"]),
        id: z.string(),
        tier: z.string(),
        lent: usedTally.meta({ description: "On loan to isolates now." }),
        open_reservations: z.int().min(0),
      })
      .optional(),
  }),
);
