/** The smallest bundle for workerd: to measure a bare start, and for tests where the Worker does not matter. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkerBundle } from "./bundle.ts";

/** A Worker without bindings that answers everything with an empty body. Its module is written into `folder`. */
export async function emptyBundle(folder: string): Promise<WorkerBundle> {
  const module = join(folder, "empty.js");
  await writeFile(module, 'export default { fetch: () => new Response("") };');
  return {
    name: "empty",
    modules: [module],
    metafile: "",
    compatibilityDate: "2026-10-15",
    compatibilityFlags: [],
    vars: {},
    kvNamespaces: [],
    durableObjects: [],
    services: [],
  };
}
