import { SourceMap } from "node:module";
import { expect, test } from "vitest";
import { readableStack } from "./readable-stack.ts";

// In base 64: column 0 is line 1, column 1; from column 2 on it is line 2.
const map = new SourceMap({
  version: 3,
  file: "index.js",
  sources: ["../../src/shared/turn/open-turn.ts"],
  sourcesContent: [""],
  names: [],
  mappings: "AAAA,EACA",
  sourceRoot: "",
});

test("places of a minified stack are told by their source, also inside a line of JSON", () => {
  const line = JSON.stringify({
    event: "fault",
    detail: "Error: no\n    at a (index.js:1:3)\n    at index.js:1:1",
  });
  expect(JSON.parse(readableStack(line, map))).toEqual({
    event: "fault",
    detail: "Error: no\n    at a (src/shared/turn/open-turn.ts:2:1)\n    at src/shared/turn/open-turn.ts:1:1",
  });
});

test("what the map does not know stays", () => {
  expect(readableStack("at b (other.js:1:1)", map)).toBe("at b (other.js:1:1)");
  const none = new SourceMap({
    version: 3,
    file: "index.js",
    sources: [],
    sourcesContent: [],
    names: [],
    mappings: "",
    sourceRoot: "",
  });
  expect(readableStack("at b (index.js:1:1)", none)).toBe("at b (index.js:1:1)");
});
