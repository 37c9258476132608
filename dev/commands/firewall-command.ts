/**
 * `npm run firewall`, for the platform's firewall (document-command.ts). The document is stored as given: missing fields get the defaults of the
 * version that reads it.
 */
import type { AccessRule, PlatformFirewall } from "../../src/shared/firewall/firewall-policy.ts";
import { firewallKey, parsePlatformFirewall } from "../../src/shared/firewall/policy-source.ts";
import type { StoredDocument } from "./document-command.ts";
import { DocumentError } from "./read-document.ts";

function check(text: string): string {
  const policy = parsePlatformFirewall(text);
  if (!policy.ok) throw new DocumentError(policy.error);
  return summary(policy.value);
}

/** A summary: the rules in their order, and those that no request reaches. */
function summary({ injection, rules, addresses }: PlatformFirewall): string {
  const always = rules.findIndex((rule) => conditionsOf(rule).length === 0);
  const lines = rules.map((rule, at) => {
    const when = conditionsOf(rule).join(" and ") || "always";
    return `  ${rule.name}: ${rule.action}, ${when}${always !== -1 && at > always ? " (never reached)" : ""}`;
  });
  return [
    `attack patterns: ${injection}`,
    `an address, in one isolate: ${addresses.requests_per_minute} requests and ${addresses.failed_credentials_per_minute} wrong credentials a minute`,
    rules.length === 0 ? "no rules" : "rules, of which the first that holds decides:",
    ...lines,
    ...(rules[always]?.action === "deny"
      ? [`whom no rule before '${rules[always].name}' lets in gets 403`]
      : []),
  ].join("\n");
}

function conditionsOf({ name: _name, action: _action, ...conditions }: AccessRule): readonly string[] {
  return Object.keys(conditions);
}

export const firewallDocument: StoredDocument = {
  name: "firewall",
  key: firewallKey,
  check,
  async put(store, text) {
    const checked = check(text);
    await store.put([{ key: firewallKey, value: text }]);
    return checked;
  },
};
