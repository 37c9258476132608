/** How do the items of a response's answer look? For the documentation, and for clients that are made from it. */
import * as z from "zod";
import { lackingParts } from "./lacking-parts.ts";

const statuses = ["in_progress", "completed", "incomplete"] as const;

const outputPart = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.looseObject({
      type: z.literal("output_text"),
      text: z.string(),
      annotations: z.array(z.looseObject({ type: z.string() })).meta({
        description: "What the text cites: `file_citation` and `url_citation`.",
      }),
      logprobs: z.array(z.looseObject({})),
    }),
    z.looseObject({ type: z.literal("refusal"), refusal: z.string() }),
  ]),
);

const item = <Type extends string, Shape extends z.ZodRawShape>(
  type: Type,
  status: readonly [string, ...string[]],
  shape: Shape,
) => z.looseObject({ id: z.string(), type: z.literal(type), status: z.enum(status), ...shape });

export const outputItemSchema = z.lazy(() =>
  z.discriminatedUnion("type", [
    item("message", statuses, { role: z.literal("assistant"), content: z.array(outputPart) }),
    item("function_call", statuses, {
      call_id: z.string(),
      name: z.string(),
      namespace: z.string().optional(),
      arguments: z.string().meta({ description: "JSON, as the model wrote it." }),
    }),
    item("reasoning", statuses, {
      summary: z.array(z.looseObject({})),
      content: z.array(z.looseObject({ type: z.literal("reasoning_text"), text: z.string() })),
    }),
    item("file_search_call", ["in_progress", "searching", "completed", "incomplete", "failed"], {
      queries: z.array(z.string()),
      results: z
        .array(
          z.looseObject({ file_id: z.string(), filename: z.string(), score: z.number(), text: z.string() }),
        )
        .nullable()
        .meta({ description: "With `file_search_call.results` in `include`." }),
      lacking: lackingParts.optional(),
    }),
    item("web_search_call", ["in_progress", "searching", "completed", "failed"], {
      action: z.looseObject({ type: z.literal("search"), query: z.string() }),
    }),
    item("mcp_call", ["in_progress", "completed", "incomplete", "failed"], {
      server_label: z.string(),
      name: z.string(),
      arguments: z.string(),
      output: z.string().nullable(),
      error: z.looseObject({ type: z.string() }).nullable(),
    }).meta({ description: "A tool that the service ran itself." }),
  ]),
);
