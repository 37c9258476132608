/** The bundle as it ships, made once for all files that start a product, and a fleet, of their own. */
import type { TestProject } from "vitest/node";
import { bundleForServe, type ServeBundles } from "../../../dev/serve/start-serve.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly bundles: Omit<ServeBundles, "remove">;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { remove, ...bundles } = await bundleForServe();
  project.provide("bundles", bundles);
  return remove;
}
