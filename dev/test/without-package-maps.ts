/**
 * A plugin for tests inside workerd, each file of which has a process of its own that is sent the whole Worker as text: without the source
 * maps of packages that is a third less. Stack traces still show places in our own code by source line, and those in packages by the lines that run.
 */
import type { Plugin } from "vite";

export function withoutPackageMaps(): Plugin {
  return {
    name: "edgewise:without-package-maps",
    transform: (code, id) => (id.includes("/node_modules/") ? { code, map: { mappings: "" } } : null),
  };
}
