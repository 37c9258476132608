/**
 * What does a call count against its caller's limits? What makes something, or has a model, a search or a reader work, counts as a request; a
 * turn counts its tokens and cost as well. Looking, changing a few fields of what is there, cancelling and erasing are free: they cost little,
 * nothing grows by them, and who has used up a limit must still be able to see, stop and erase what is theirs. docs/limits.md shows this table.
 */
export type RouteCost = "turn" | "request" | "free";

/** Of the routes for a tenant's principals. */
export const routeCosts: Readonly<Record<string, RouteCost>> = {
  "POST /v1/chat/completions": "turn",
  "POST /v1/completions": "turn",
  "POST /v1/embeddings": "turn",
  "POST /v1/responses": "turn",
  "POST /v1/batches": "request",
  "POST /v1/conversations": "request",
  "POST /v1/conversations/{id}/items": "request",
  "POST /v1/files": "request",
  "POST /v1/moderations": "request",
  "POST /v1/responses/input_tokens": "request",
  "POST /v1/uploads": "request",
  "POST /v1/uploads/{id}/complete": "request",
  "POST /v1/uploads/{id}/parts": "request",
  "POST /v1/vector_stores": "request",
  "POST /v1/vector_stores/{id}/file_batches": "request",
  "POST /v1/vector_stores/{id}/files": "request",
  "POST /v1/vector_stores/{id}/search": "request",
  "GET /v1/vector_stores/{id}/files/{file_id}/content": "request",
  "POST /v1/batches/{id}/cancel": "free",
  "POST /v1/chat/completions/{id}": "free",
  "POST /v1/chat/completions/{id}/cancel": "free",
  "POST /v1/conversations/{id}": "free",
  "POST /v1/responses/{id}/cancel": "free",
  "POST /v1/uploads/{id}/cancel": "free",
  "POST /v1/vector_stores/{id}": "free",
  "POST /v1/vector_stores/{id}/file_batches/{batch_id}/cancel": "free",
  "POST /v1/vector_stores/{id}/files/{file_id}": "free",
};

/** Whoever only looks or erases is not in the table, unless it counts. */
export function costOf({ method, path }: { readonly method: string; readonly path: string }): RouteCost {
  return routeCosts[`${method} ${path}`] ?? "free";
}
