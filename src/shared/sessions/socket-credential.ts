/**
 * A browser can't set headers on a WebSocket, so that its credential comes among the subprotocols, in OpenAI's form:
 * `openai-insecure-api-key.<token>`. Never in the URL, which logs keep.
 */
const prefix = "openai-insecure-api-key.";

/** The credential as an `Authorization` header would have it; `null`: none came so. Only of an upgrade request. */
export function socketCredential(headers: Headers): string | null {
  const protocol = offered(headers).find((one) => one.startsWith(prefix));
  return protocol === undefined ? null : `Bearer ${protocol.slice(prefix.length)}`;
}

/**
 * The subprotocol to answer with; `null`: none was offered. Browsers give up where none of those that they offer is
 * chosen; the one that holds the credential is repeated only where it is alone.
 */
export function chosenProtocol(headers: Headers): string | null {
  const all = offered(headers);
  return all.find((one) => !one.startsWith(prefix)) ?? all[0] ?? null;
}

export function isUpgrade(headers: Headers): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}

function offered(headers: Headers): string[] {
  if (!isUpgrade(headers)) return [];
  const list = headers.get("sec-websocket-protocol") ?? "";
  return list
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
