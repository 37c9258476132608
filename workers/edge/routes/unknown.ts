/** No route has this path and method: 405 with `Allow` where the path exists, the static assets for a page, else 404. */
import { insteadOf } from "../../../src/shared/wire/routes-not-offered.ts";
import type { PublicHandler } from "../handle.ts";
import { respondRefusal } from "../respond.ts";

export function unknownRoute(methods: ReadonlyMap<string, readonly string[]>): PublicHandler {
  const patterns = [...methods].map(([path, allow]) => ({ pattern: patternOf(path), allow }));
  return async ({ c, scope, isolate }) => {
    const { path, method } = c.req;
    const known = patterns.find(({ pattern }) => pattern.test(path));
    if (known !== undefined) return respondRefusal(scope, { kind: "method-not-allowed", allow: known.allow });
    const meant = meantPath(path);
    const isMeant = patterns.some(({ pattern }) => pattern.test(meant));
    const instead = insteadOf(meant);
    const refusal = {
      kind: "route-unknown",
      ...(isMeant && { meant }),
      ...(instead !== undefined && { instead }),
    } as const;
    const { ASSETS } = isolate.env;
    if (ASSETS === undefined || (method !== "GET" && method !== "HEAD") || path.startsWith("/v1/"))
      return respondRefusal(scope, refusal, {}, path);
    const asset = await ASSETS.fetch(c.req.raw);
    if (asset.status === 404) return respondRefusal(scope, refusal, {}, path);
    scope.record.status = asset.status;
    scope.finish();
    return asset;
  };
}

/** The path with one `/v1` in front, and slashes only between its segments: base URLs are written without it, with two, or with a slash behind. */
function meantPath(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "");
  const from = segments.findIndex((segment) => segment !== "v1");
  return `/v1/${segments.slice(from === -1 ? segments.length : from).join("/")}`;
}

/** Hono's `:name` is one segment, `:name{.+}` any number. A dot outside of a name is a dot. */
function patternOf(path: string): RegExp {
  const segment = path.startsWith("/v1/") ? idSegment : "[^/]+";
  const source = path.replaceAll(/:\w+\{\.\+\}|:\w+|\./g, (part) => {
    if (part === ".") return "\\.";
    return part.endsWith("}") ? ".+" : segment;
  });
  return new RegExp(`^${source}$`);
}

/** No id of ours is a mere word: that is the name of what OpenAI offers beside the ids and we don't (`POST /v1/responses/compact`). */
const idSegment = "(?![a-z_]+(?:/|$))[^/]+";
