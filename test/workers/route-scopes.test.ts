import { beforeAll, describe, expect, test, vi } from "vitest";
import { publicRoutes } from "../../src/shared/wire/routes.ts";
import { ask, makeKey, newTenant, platformToken, type Answer } from "./admin-fixture.ts";

/** The route table says which scopes open what; here every route of it is asked with each kind of credential. */
const routes = publicRoutes.flatMap(({ method, path, scopes }) =>
  scopes === null ? [] : [{ method, path, scopes }],
);

/** A credential with exactly these scopes, by its channel. A platform scope makes it the platform's. */
type Channel = "JWT" | "API key";
let credential: (channel: Channel, scopes: readonly string[], isPlatform: boolean) => Promise<string>;

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  const tenant = await newTenant();
  const operator = await platformToken();
  const expires_at = Math.floor(Date.now() / 1000) + 3600;
  const made = new Map<string, Promise<string>>();
  const make = async (channel: Channel, scopes: readonly string[], isPlatform: boolean): Promise<string> => {
    if (channel === "JWT")
      return isPlatform
        ? platformToken(scopes.join(" "), "somebody")
        : tenant.token({ scope: scopes.join(" ") });
    const key = isPlatform
      ? await makeKey(operator, { scopes: scopes.length === 0 ? ["platform:nothing"] : scopes, expires_at })
      : await makeKey(tenant.admin, { scopes });
    return key.value;
  };
  credential = (channel, scopes, isPlatform) => {
    const name = `${channel} ${isPlatform} ${scopes.join(" ")}`;
    const known = made.get(name) ?? make(channel, scopes, isPlatform);
    made.set(name, known);
    return known;
  };
});

function send(method: string, path: string, bearer: string): Promise<Answer> {
  return ask(method, path.replaceAll(/\{\w+\}/g, "some-id"), bearer);
}

const lacking = { status: 403, body: { error: { code: "insufficient_scope" } } };

describe.each(["JWT", "API key"] as const)("with a %s", (channel) => {
  test.each(routes)("$method $path takes $scopes", async ({ method, path, scopes }) => {
    const without = [
      ["a tenant's", await credential(channel, [], false)],
      ["the platform's", await credential(channel, [], true)],
    ] as const;
    if (scopes.length === 0) {
      const [[, tenants], [, platforms]] = without;
      expect([401, 403]).not.toContain((await send(method, path, tenants)).status);
      expect(await send(method, path, platforms)).toMatchObject(lacking);
      return;
    }
    for (const [whose, bearer] of without)
      expect([whose, await send(method, path, bearer)]).toMatchObject([whose, lacking]);
    for (const scope of scopes) {
      const bearer = await credential(channel, [scope], scope.startsWith("platform:"));
      expect([scope, (await send(method, path, bearer)).status]).not.toEqual([scope, 401]);
      expect([scope, (await send(method, path, bearer)).status]).not.toEqual([scope, 403]);
    }
    for (const scope of ["tenant:admin", "platform:admin", "platform:metrics"]) {
      if (scopes.includes(scope)) continue;
      const bearer = await credential(channel, [scope], scope.startsWith("platform:"));
      expect([scope, await send(method, path, bearer)]).toMatchObject([scope, lacking]);
    }
  });
});
