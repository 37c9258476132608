import * as z from "zod";

/**
 * What to do about links and pictures in an answer that lead to hosts that the tenant has not named. An attacker who gets a model to write one
 * can send the conversation away in its address, and a picture is fetched without a click. By default nothing, which also costs nothing.
 */
const hostPattern = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

export const linksPolicySchema = z.lazy(() =>
  z.strictObject({
    action: z.enum(["off", "flag", "remove"]).default("off"),
    /** `docs.example.com`, or `*.example.com` for all hosts below it. */
    allow_hosts: z
      .array(z.string().regex(hostPattern, "is no host, such as docs.example.com or *.example.com"))
      .max(200)
      .default([]),
  }),
);
export type LinksPolicy = z.infer<typeof linksPolicySchema>;

/** Bump with every change of what counts as a link. It is part of the answer cache's key. */
export const linkRulesVersion = "2";

/** @param host in lower case, without a port */
export function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  return allowed.some((each) => (each.startsWith("*.") ? name.endsWith(each.slice(1)) : name === each));
}
