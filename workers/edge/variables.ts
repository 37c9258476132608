/** Are this Worker's variables ones that it knows? A typing error would silently mean "local" or "off". */

const known = {
  ENVIRONMENT: ["local", "production"],
  ROUTER: ["in-process", "service"],
  ARCHIVE: ["off", "on", undefined],
} as const satisfies { readonly [Name in keyof Cloudflare.Env]?: readonly (string | undefined)[] };

/** Throws, naming the variable, where one has no value that it may have. */
export function checkVariables(env: Cloudflare.Env): void {
  for (const [name, values] of Object.entries(known)) {
    const value: unknown = Reflect.get(env, name);
    if (values.some((one) => one === value)) continue;
    const choice = values.filter((one) => one !== undefined).join(" or ");
    throw new TypeError(
      `${name}: is ${value === undefined ? "not set" : "something else"}, and must be ${choice}`,
    );
  }
}
