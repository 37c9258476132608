/** Vitest's `--shard` by the duration of files (test-parts.ts) instead of their number. */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { root } from "../local-secrets.ts";
import { filesOfPart } from "./test-parts.ts";

export class MeasuredParts extends BaseSequencer {
  override async shard(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const { shard } = this.ctx.config;
    if (shard === undefined) return specifications;
    const nameOf = ({ moduleId }: TestSpecification) => relative(root, moduleId);
    const part = new Set(filesOfPart(specifications.map(nameOf), shard.index, shard.count));
    return specifications.filter((specification) => part.has(nameOf(specification)));
  }
}
