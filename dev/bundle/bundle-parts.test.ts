import { expect, test } from "vitest";
import { bundleParts, packagesTwice } from "./bundle-parts.ts";

const metafile = {
  outputs: {
    "../../tmp/edge/index.js": {
      bytes: 1000,
      inputs: {
        "src/shared/limits/bucket.ts": { bytesInOutput: 300 },
        "src/shared/limits/regional/stock.ts": { bytesInOutput: 30 },
        "src/shared/limits/types.ts": { bytesInOutput: 0 },
        "workers/edge/routes/chat.ts": { bytesInOutput: 20 },
        "workers/origin-bindings.ts": { bytesInOutput: 5 },
        "node_modules/zod/v4/core/schemas.js": { bytesInOutput: 200 },
        "node_modules/zod/v4/core/util.js": { bytesInOutput: 100 },
        "node_modules/@cfworker/json-schema/dist/validate.js": { bytesInOutput: 60 },
        "node_modules/ai/node_modules/zod/index.js": { bytesInOutput: 40 },
        "node_modules/ai/index.js": { bytesInOutput: 0 },
        "../../tmp/loader.ts": { bytesInOutput: 1 },
      },
    },
    "../../tmp/edge/index.js.map": { bytes: 5000, inputs: {} },
  },
};

test("a bundle's parts are packages and folders, the largest first; what left nothing in it is none", () => {
  expect(bundleParts(metafile)).toEqual([
    { name: "zod", bytes: 340 },
    { name: "src/shared/limits", bytes: 330 },
    { name: "@cfworker/json-schema", bytes: 60 },
    { name: "workers/edge", bytes: 20 },
    { name: "workers/origin-bindings.ts", bytes: 5 },
    { name: "tmp/loader.ts", bytes: 1 },
  ]);
});

test("a package from two folders is in the bundle twice", () => {
  expect(packagesTwice(metafile)).toEqual(["zod"]);
});
