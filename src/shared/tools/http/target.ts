/**
 * May a tool ask this URL? Checked before each request, redirects included: the model, a tenant or another server may have written parts of
 * it.
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import { isPublicHost } from "./public-address.ts";

export interface TargetPolicy {
  /** `host`, or `host:port` where the port is not 443. */
  readonly hosts: ReadonlySet<string>;
  /** Development alone: plain http to this machine, if it is among the hosts. */
  readonly mayReachThisMachine: boolean;
}

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The error says what is wrong with it, without naming it. */
export function judgeTarget(url: URL, { hosts, mayReachThisMachine }: TargetPolicy): Result<URL, string> {
  if (url.username !== "" || url.password !== "") return err("the address holds a user or a password");
  if (!hosts.has(url.host)) return err("the address is of a host that is not allowed");
  if (mayReachThisMachine && loopback.has(url.hostname)) return ok(url);
  if (url.protocol !== "https:") return err("the address is not https");
  if (!isPublicHost(url.hostname)) return err("the address is none of the public internet");
  return ok(url);
}
