/** The calculator as a tool: models guess digits, this does not. */
import { err, ok } from "../../contracts/result.ts";
import { calculatorName } from "../names.ts";
import type { ServerTool } from "../server-tool.ts";
import { calculatorLimits, evaluate } from "./evaluate.ts";

export const calculator: ServerTool = {
  name: calculatorName,
  description:
    "Computes an arithmetic expression exactly: + - * / ^ %, parentheses, and sqrt, abs, floor, ceil, round, min, max. " +
    "Use it for every calculation.",
  parameters: {
    type: "object",
    properties: {
      expression: {
        type: "string",
        description: "Such as (12.5 + 3) * 4 ^ 2",
        minLength: 1,
        maxLength: calculatorLimits.characters,
      },
    },
    required: ["expression"],
    additionalProperties: false,
  },
  shown: "mcp_call",
  isRepeatable: true,
  timeoutMs: 1000,
  run({ expression }) {
    const result = evaluate(String(expression));
    return Promise.resolve(
      result.ok
        ? ok({ text: result.value })
        : err({ kind: "arguments-invalid", detail: `the expression can't be computed: ${result.error}` }),
    );
  },
};
