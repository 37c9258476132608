/** One running product for all end-to-end files of this folder. When they are done it must end and leave nothing. */
import type { TestProject } from "vitest/node";
import { startStack } from "./stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly edgewise: {
      readonly url: string;
      readonly replicas: readonly string[];
      readonly logFile: string;
    };
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack();
  const { url, replicas, logFile } = stack;
  project.provide("edgewise", { url, replicas, logFile });
  return () => stack.stop();
}
