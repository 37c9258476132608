import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { ServedModel } from "../catalog.ts";
import { badRequest, invalid, type EngineRefusal } from "../engine/refusal.ts";
import type { JsonSchema, OutputFormat } from "../model/conversation.ts";
import { isGuard } from "../model/guard.ts";
import { schemaFault } from "../model/schema-check.ts";
import type { SamplingRequest } from "./sampling.ts";

/** Which form must the answer have? Reads `response_format` and vLLM's `structured_outputs`. Grammars are not supported, patterns only by guard models. */
const anyObject: JsonSchema = {
  type: "object",
  properties: { answer: { type: "string" }, stand_in: { type: "boolean" } },
  required: ["answer", "stand_in"],
};

export function readFormat(
  request: SamplingRequest,
  model: ServedModel,
): Result<OutputFormat, EngineRefusal> {
  const format = request.response_format;
  const structured = request.structured_outputs;
  const asked = (format && format.type !== "text") || structured;
  if (!asked) return ok({ kind: "text" });
  if (!model.capabilities.has("structured-output"))
    return badRequest("This model was started without a structured outputs backend.", "response_format");
  if (format?.type === "structural_tag")
    return badRequest("The dev fleet does not speak structural tags.", "response_format");
  if (format?.type === "json_object") return ok({ kind: "json", schema: anyObject });
  if (format?.type === "json_schema") {
    if (!format.json_schema)
      return invalid(
        "When response_format type is 'json_schema', the 'json_schema' field must be provided.",
        "response_format",
      );
    return checked(format.json_schema.schema ?? {}, "response_format");
  }
  const kinds = [structured?.json, structured?.regex, structured?.choice].filter((one) => one != null);
  if (kinds.length > 1)
    return invalid(
      "You can only use one kind of constraints for structured outputs ('json', 'regex' or 'choice').",
    );
  if (structured?.choice) return ok({ kind: "choice", choices: structured.choice });
  if (structured?.json) return checkedText(structured.json);
  if (structured?.regex && isGuard(model.name)) return pattern(structured.regex);
  return badRequest("The dev fleet does not speak grammars or regular expressions.", "structured_outputs");
}

function pattern(regex: string): Result<OutputFormat, EngineRefusal> {
  try {
    return ok({ kind: "pattern", pattern: new RegExp(`^(?:${regex})$`, "u") });
  } catch {
    // It can only be checked by compiling it.
    return badRequest("Failed to transform regex into a grammar.", "structured_outputs");
  }
}

function checkedText(schema: string | Record<string, unknown>): Result<OutputFormat, EngineRefusal> {
  if (typeof schema !== "string") return checked(schema, "structured_outputs");
  try {
    return checked(JSON.parse(schema) as JsonSchema, "structured_outputs");
  } catch {
    // JSON can only be checked by parsing it.
    return badRequest("Invalid JSON grammar specification.", "structured_outputs");
  }
}

function checked(schema: JsonSchema, param: string): Result<OutputFormat, EngineRefusal> {
  const fault = schemaFault(schema);
  if (fault !== undefined)
    return badRequest(`Failed to convert the grammar from JSON schema: ${fault}`, param);
  return ok({ kind: "json", schema });
}
