/** What does `/admin/fleet` accept and return? The form is ours: OpenAI's API has no fleet. */
import * as z from "zod";
import { baseUrlFault } from "../routing/fleet/base-url.ts";
import { fleetIdSchema } from "../routing/fleet/alias-config.ts";

const id = z.lazy(() => z.string().min(1).max(128));

export const fleetChangeSchema = z.lazy(() =>
  z
    .strictObject({
      action: z.enum(["drain", "disable", "enable", "weight", "join", "leave"]).meta({
        description:
          "`drain`: takes no new requests, what runs there may end. `disable`: as `drain`, and it is not meant to come back soon. " +
          "`enable`: takes requests again. `weight`: its share against its peers. `join`: a replica that is not in the fleet file takes " +
          "part; repeated every 30 seconds, it is its heartbeat. `leave`: it takes part no more.",
      }),
      cluster: id.meta({ description: "A cluster of the fleet that has a pool." }),
      replica: id,
      weight: z
        .number()
        .min(0)
        .max(10)
        .optional()
        .meta({ description: "For `weight`: 1 is usual, 0 takes nothing." }),
      url: z
        .url({ protocol: /^https?$/ })
        .max(512)
        .optional()
        .meta({
          description:
            "For `join`: where its engine answers. Reached through the cluster's VPC network binding where all replicas of the fleet file " +
            "are behind the same one, else as it is.",
        }),
      slots: z
        .int()
        .min(1)
        .max(4096)
        .optional()
        .meta({ description: "For `join`: requests at once; 64 if left out." }),
      zone: z
        .string()
        .min(1)
        .max(64)
        .optional()
        .meta({ description: "For `join`: what fails together with it." }),
    })
    .superRefine((change, context) => {
      const needed = { weight: "weight", join: "url" } as const;
      for (const [action, field] of Object.entries(needed) as [keyof typeof needed, "weight" | "url"][])
        if (change.action === action && change[field] === undefined)
          context.addIssue({ code: "custom", path: [field], message: `is needed with action '${action}'` });
      const url = URL.parse(change.url ?? "");
      const fault = url === null ? null : baseUrlFault(url);
      if (fault !== null) context.addIssue({ code: "custom", path: ["url"], message: fault });
      // It appears where the fleet file's ids do: in headers, metrics and the log.
      if (change.action === "join" && !fleetIdSchema.safeParse(change.replica).success)
        context.addIssue({
          code: "custom",
          path: ["replica"],
          message: "must be letters, digits and . _ : / - and begin with a letter or digit",
        });
      const allowed = { weight: "weight", url: "join", slots: "join", zone: "join" } as const;
      for (const [field, action] of Object.entries(allowed) as [keyof typeof allowed, string][])
        if (change[field] !== undefined && change.action !== action)
          context.addIssue({ code: "custom", path: [field], message: `is for action '${action}'` });
    }),
);
export type FleetChange = z.infer<typeof fleetChangeSchema>;

export const fleetChangedSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("fleet.change"),
    cluster: z.string(),
    replica: z.string(),
    action: z.string(),
    changed: z.boolean().meta({ description: "False where it was so already; a heartbeat changes nothing." }),
  }),
);

const replica = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    zone: z.string().nullable(),
    slots: z.int(),
    state: z
      .string()
      .optional()
      .meta({ description: "`active`, `draining`, `disabled`, `lost` (its heartbeat stopped)." }),
    weight: z.number().optional().meta({
      description: "As it counts now: less than wished while it starts, or is tried again after failures.",
    }),
    breaker: z.string().optional().meta({ description: "`closed`, `half-open`, `open`." }),
    leases: z.int().optional().meta({ description: "Requests of ours in flight there." }),
  }),
);

export const fleetReportSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("fleet"),
    version: z.string(),
    clusters: z.array(
      z.looseObject({
        id: z.string(),
        region: z.string(),
        engine: z.string(),
        pool: z.enum(["on", "off", "unreachable"]),
        cost_per_hour: z
          .number()
          .optional()
          .meta({ description: "US dollars an hour of the replicas that are there." }),
        replicas: z.array(replica),
        models: z.array(
          z.looseObject({
            id: z.string(),
            queued_tokens: z.number().optional(),
            saturation: z
              .number()
              .optional()
              .meta({ description: "Requests over places; above 1, some wait." }),
            wanted_replicas: z.int().optional(),
          }),
        ),
      }),
    ),
  }),
);
