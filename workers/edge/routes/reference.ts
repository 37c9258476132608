/** The API's own description: `/openapi.json`, and `/docs`, the page that shows it. */
import { openApiJson } from "../../../src/shared/wire/openapi.ts";
import type { PublicHandler } from "../handle.ts";
import { docsPage } from "../docs-page.ts";
import { respondJson } from "../respond.ts";

/** The document is built on first use: it costs nothing at start-up. */
export const openApiDocument: PublicHandler = ({ scope }) => {
  // What a cache keeps of a request without an origin must not be given to a page of another: it could not read it.
  return respondJson(scope, openApiJson(), { "cache-control": "public, max-age=300", vary: "Origin" });
};

export const referencePage: PublicHandler = ({ scope }) => {
  scope.record.status = 200;
  scope.finish();
  return docsPage();
};
