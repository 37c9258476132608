/** `iss` and `aud` of the platform's own tokens, where PLATFORM_ISSUER and PLATFORM_AUDIENCE don't say otherwise. */
export const platformDefaults = { issuer: "edgewise-platform", audience: "edgewise" } as const;
