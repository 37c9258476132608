/** A turn for tests. Every field can be set. */
import type { ArchivedTurn } from "./ports.ts";

export function archivedTurn(fields: Partial<ArchivedTurn> = {}): ArchivedTurn {
  return {
    chargeId: "charge-1",
    tenant: "acme",
    org: "acme",
    user: "ann",
    tier: "pro",
    keyId: null,
    jurisdiction: "none",
    way: "durable",
    endpoint: "/v1/chat/completions",
    responseId: "chatcmpl-1",
    conversation: { conversation: "conversation-1", sequence: 0 },
    status: "completed",
    model: "llama-3.1-8b",
    cluster: "eu-1",
    attempts: 1,
    usage: { promptTokens: 10, completionTokens: 5, cachedTokens: 2, reasoningTokens: 0 },
    basis: "exact",
    microdollars: 7,
    price: { version: "f1", input: 0.2, output: 0.6 },
    screened: null,
    guarded: null,
    createdMs: 1_000,
    endedMs: 2_000,
    items: [
      { type: "message", role: "user", json: '{"type":"message","role":"user","content":"Hello"}' },
      { type: "message", role: "assistant", json: '{"type":"message","role":"assistant","content":"Hi"}' },
    ],
    ...fields,
  };
}
