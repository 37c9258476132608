/** The least that workerd can be given: what a start costs by itself, and something to serve where it does not matter what. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkerBundle } from "./bundle.ts";

/** A Worker that answers everything with nothing and binds nothing. Its module is written into `folder`. */
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
