import type { NonceLedger as NonceLedgerPort } from "../../src/shared/signing/ports.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { NonceLedger } from "./nonce-ledger.ts";

/** Objects that share one key's nonces: each is asked at most some hundred times a second. Changing it forgets a window. */
const shards = 16;

/**
 * The ledger as the signature check sees it. Not asked again after a failure: the first try may have been written, so that
 * the second would call an honest request a replay. The client signs anew instead.
 */
export function nonceLedger(
  namespace: DurableObjectNamespace<NonceLedger>,
  environment: Cloudflare.Env["ENVIRONMENT"],
): NonceLedgerPort {
  return {
    async remember({ tenant, jurisdiction, keyId, nonce, untilMs }) {
      const name = `${tenant}/${keyId}/${shardOf(nonce)}`;
      const stub = inJurisdiction(namespace, jurisdiction, environment).getByName(name);
      const answer = await stub.remember({ v: 1, nonce, untilMs });
      if (answer.result === "version-unsupported") throw new Error("nonce ledger speaks another version");
      return answer.result;
    },
  };
}

/** FNV-1a. Whoever picks nonces that fall together slows down their own key alone. */
function shardOf(nonce: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < nonce.length; at += 1) hash = Math.imul(hash ^ nonce.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % shards;
}
