/**
 * The API reference at /docs: one page around openapi-explorer, whose script comes from our own assets. Nothing is loaded
 * from elsewhere, and the policy would not let it.
 */

/** Where dev/build-assets.ts puts the script. */
const scriptPath = "/openapi-explorer.min.js";

/** In src/web/public. */
const fragmentScriptPath = "/reference-fragment.js";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Edgewise API</title>
    <link rel="icon" href="data:," />
    <script src="${fragmentScriptPath}"></script>
    <script type="module" src="${scriptPath}"></script>
  </head>
  <body>
    <openapi-explorer spec-url="/openapi.json"></openapi-explorer>
    <noscript>The reference needs JavaScript. The description itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
  </body>
</html>
`;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function docsPage(): Response {
  return new Response(page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "public, max-age=300",
    },
  });
}
