/** Usage receipts as a client checks and fetches them. */
import { compactVerify, createLocalJWKSet } from "jose";
import { expect } from "vitest";
import type { ReceiptClaims } from "../../src/shared/receipts/receipt.ts";
import { send } from "./edge-under-test.ts";

export async function verified(receipt: string): Promise<ReceiptClaims> {
  const response = await send("/.well-known/edgewise-receipts.json");
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  const keys = createLocalJWKSet(await response.json());
  const { payload } = await compactVerify(receipt, keys);
  return JSON.parse(new TextDecoder().decode(payload)) as ReceiptClaims;
}

export async function fetched(authorization: string, id: string): Promise<Response> {
  return send(`/v1/usage/receipts/${id}`, { headers: { authorization } });
}
