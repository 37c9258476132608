/**
 * A document in which every `$ref` is replaced by what it points to. Only references within the document are followed: nothing is fetched. A
 * reference that leads elsewhere, nowhere or in a circle is refused, and so is a document that grows past `maxNodes` by them.
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import { isRecord } from "../../wire/is-record.ts";

const maxNodes = 200_000;
const maxDepth = 64;

export function dereferenced(document: unknown): Result<unknown, string> {
  let nodes = 0;
  function resolve(node: unknown, depth: number, within: readonly string[]): Result<unknown, string> {
    nodes += 1;
    if (nodes > maxNodes || depth > maxDepth) return err("it is too large, or nested too deeply");
    if (Array.isArray(node)) {
      const items: unknown[] = [];
      for (const item of node as readonly unknown[]) {
        const resolved = resolve(item, depth + 1, within);
        if (!resolved.ok) return resolved;
        items.push(resolved.value);
      }
      return ok(items);
    }
    if (!isRecord(node)) return ok(node);
    const reference = node["$ref"];
    if (typeof reference === "string") {
      if (within.includes(reference)) return err(`${reference.slice(0, 200)} refers to itself`);
      const target = targetOf(document, reference);
      return target === undefined
        ? err(`${reference.slice(0, 200)} leads to nothing in this document`)
        : resolve(target, depth + 1, [...within, reference]);
    }
    const members: [string, unknown][] = [];
    for (const [name, value] of Object.entries(node)) {
      const resolved = resolve(value, depth + 1, within);
      if (!resolved.ok) return resolved;
      members.push([name, resolved.value]);
    }
    return ok(Object.fromEntries(members));
  }
  return resolve(document, 0, []);
}

/** A JSON pointer in a fragment, which percent-encodes what a URL may not hold (RFC 6901, 6). */
function targetOf(document: unknown, reference: string): unknown {
  if (!reference.startsWith("#/")) return undefined;
  const pointer = decoded(reference.slice(2));
  if (pointer === null) return undefined;
  let target: unknown = document;
  for (const step of pointer.split("/")) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if ((!isRecord(target) && !Array.isArray(target)) || !Object.hasOwn(target, name)) return undefined;
    target = (target as Readonly<Record<string, unknown>>)[name];
  }
  return target;
}

function decoded(fragment: string): string | null {
  try {
    return decodeURIComponent(fragment);
  } catch {
    // A lone `%` is no URL's.
    return null;
  }
}
