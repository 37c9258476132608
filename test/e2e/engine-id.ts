/** Whether the `x-request-id` that an engine got belongs to that request: each attempt has one of its own. */
export function isOf(engineId: unknown, requestId: string): boolean {
  return typeof engineId === "string" && engineId.startsWith(`${requestId}.`);
}

export function requestIdOf(engineId: unknown): string {
  return String(engineId).replace(/\.[0-9a-f]+$/, "");
}
