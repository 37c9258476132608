import * as z from "zod";

/** What a scope is called. A tenant's own never begin with `platform:`; the platform's always do. */
export const grantableScope = z.lazy(() =>
  z
    .string()
    .regex(
      /^(?!platform:)[a-z][a-z0-9_:.-]{0,63}$/,
      "is no scope such as tenant:admin, in lower case; platform: begins those of the platform alone",
    ),
);
export const platformScope = z.lazy(() => z.string().regex(/^platform:[a-z][a-z0-9_.-]{0,63}$/));
