import type { Result } from "../contracts/result.ts";
import type { AdmissionFailure } from "./admission-failure.ts";
import { freeOfCharge } from "./cost.ts";
import type { Admission, AdmissionRequest, Reservation } from "./ports.ts";

/** Admits an operation that counts as a request and costs no tokens. Settle it with `onlyRequest`, or with `unused` if it failed. */
export function admitRequest(
  admission: Admission,
  {
    principal,
    tenant,
    chargeId,
    place,
    yields = false,
  }: Pick<AdmissionRequest, "principal" | "tenant" | "chargeId" | "place" | "yields">,
): Promise<Result<Reservation, AdmissionFailure>> {
  const nothing = { promptTokens: 0, answerTokens: 0, choices: 1, price: freeOfCharge };
  return admission.admit({ principal, tenant, chargeId, ...nothing, place, yields });
}

/** @param model the model that answered, for the counts by model; `null`: none did */
export function onlyRequest(model: string | null): Parameters<Reservation["settle"]>[0] {
  return { tokens: 0, requests: 1, microdollars: 0, model };
}
