/**
 * One running product for all end-to-end files, and the bundle as it ships for those that need plain workerd and a fleet
 * of their own. When they are done the product must end and leave nothing.
 */
import type { TestProject } from "vitest/node";
import { bundleForServe, type ServeBundles } from "../../dev/serve/start-serve.ts";
import { startStack } from "./stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly edgewise: {
      readonly url: string;
      readonly replicas: readonly string[];
      readonly logFile: string;
    };
    readonly bundles: Omit<ServeBundles, "remove">;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack();
  const { url, replicas, logFile } = stack;
  project.provide("edgewise", { url, replicas, logFile });
  const bundles = await bundleForServe();
  const { remove, ...provided } = bundles;
  project.provide("bundles", provided);
  return async () => {
    try {
      await stack.stop();
    } finally {
      await remove();
    }
  };
}
