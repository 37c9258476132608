/** What is wrong with a document that an operator wrote: where, and what is allowed there? Values are left out: they might be secret. */
import type * as z from "zod";
import { pathText } from "./stored-document.ts";

/** For `safeParse`: where a member is not among those that there are, it says which there are. */
export const forWriters: { readonly error: z.core.$ZodErrorMap } = {
  error: (issue) => {
    if (issue.code === "invalid_type" && issue.input === undefined) return "is required";
    if (issue.code !== "unrecognized_keys") return undefined;
    const unknown = issue.keys.map((key) => `"${key}"`).join(", ");
    const known = membersOf(issue.inst);
    return `has no ${unknown}${known.length === 0 ? "" : `; there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}`}`;
  },
};

function membersOf(schema: unknown): readonly string[] {
  const { shape = {} } =
    (schema as { readonly _zod?: { readonly def?: { readonly shape?: object } } } | undefined)?._zod?.def ??
    {};
  return Object.keys(shape);
}

/** One line an issue: the field's path, then what is wrong. */
export function describeIssues(error: z.core.$ZodError): string {
  return [...new Set(error.issues.map((issue) => `${pathText(issue.path)}: ${issue.message}`))].join("\n");
}

/** @param error what `JSON.parse` threw: the engine says where, or quotes what stands there, which is left out */
export function notJson(error: unknown): string {
  const { message = "" } = error as { readonly message?: string };
  const [why] =
    /^Unexpected token '.'(?=,)|^Unexpected end of JSON input$|^[A-Z][^"\n]*(?= (?:in|after) JSON at)/su.exec(
      message,
    ) ?? [];
  const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec(message) ?? [];
  const what = why === undefined ? "" : `: ${why.charAt(0).toLowerCase()}${why.slice(1)}`;
  return `is not JSON${what}${line === undefined ? "" : `, line ${line}, column ${column}`}`;
}
