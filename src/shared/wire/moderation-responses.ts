/** The schema of a moderation answer, and its route, for the documentation and tests. */
import * as z from "zod";
import { categories } from "../safety/moderation/categories.ts";
import { correlation, everyBody, type PublicRoute } from "./public-route.ts";

function each<Value extends z.ZodType>(value: Value) {
  return z.record(z.enum(categories), value);
}

export const moderationSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    model: z.string(),
    results: z.array(
      z.looseObject({
        flagged: z.boolean(),
        categories: each(z.boolean()),
        category_scores: each(z.number().min(0).max(1)),
        category_applied_input_types: each(z.array(z.literal("text"))),
      }),
    ),
  }),
);

export const moderationRoute: PublicRoute = {
  method: "POST",
  path: "/v1/moderations",
  tag: "Models",
  summary: "Judge texts for harm",
  description:
    "OpenAI's moderation. Its model names mean a classifier in process, which counts as a request and costs no tokens; a guard model of the " +
    "fleet may be named instead, and costs its own. Images are not judged: `category_applied_input_types` says `text` alone.",
  scopes: [],
  headers: correlation,
  request: { schema: "ModerationRequest", example: { input: "I want to bake a cake for them." } },
  success: { description: "One result an input, in order", content: { "application/json": "Moderation" } },
  errors: [...everyBody, 504],
};
