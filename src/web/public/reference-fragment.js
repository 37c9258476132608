/** The reference (workers/edge/docs-page.ts) shows nothing at all for a fragment without a route: then its first page. Before its own script. */
addEventListener(
  "hashchange",
  (event) => {
    if (/[?&]route=./.test(location.hash)) return;
    event.stopImmediatePropagation();
    location.replace("#?route=overview");
  },
  true,
);
