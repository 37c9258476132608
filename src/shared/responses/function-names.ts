/**
 * What is a function of a namespace called where names are flat? `crm` and `find` are `crm__find` to the engine, as vLLM itself has it
 * (`flat_namespace_tool_name`), and the two again to the client. An underscore more or less may be part of either, so that a name is
 * never cut: it is looked up among those that were offered.
 */
import { isRecord } from "../wire/is-record.ts";

export interface FunctionName {
  readonly name: string;
  /** Absent: it is of none. */
  readonly namespace?: string;
}

export function flatName({ name, namespace }: FunctionName): string {
  return namespace === undefined ? name : `${namespace}__${name}`;
}

/**
 * The functions of namespaces by their flat names.
 *
 * @param tools as a response repeats them
 */
export function namespacedNames(tools: unknown): ReadonlyMap<string, FunctionName> {
  const names = new Map<string, FunctionName>();
  for (const tool of records(tools)) {
    const { type, name: namespace } = tool;
    if (type !== "namespace" || typeof namespace !== "string") continue;
    for (const { name } of records(tool["tools"]))
      if (typeof name === "string") names.set(flatName({ name, namespace }), { name, namespace });
  }
  return names;
}

/** Of a call as an event shows it. */
export function functionNameOf({ name, namespace }: Readonly<Record<string, unknown>>): FunctionName {
  return { name: String(name), ...(typeof namespace === "string" && { namespace }) };
}

function records(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
