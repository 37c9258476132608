/** Is this piece of somebody's JSON an object, and no array? Its members are unknown still. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
