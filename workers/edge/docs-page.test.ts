import { expect, test } from "vitest";
import { docsPage } from "./docs-page.ts";

test("the reference loads nothing from elsewhere and runs no inline script", async () => {
  const response = docsPage();
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
  const page = await response.text();
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)/);
});

test("the document behind it can be made inside workerd, where nothing may be evaluated", async () => {
  const { openApiJson } = await import("../../src/shared/wire/openapi.ts");
  const document = JSON.parse(openApiJson()) as { openapi: string; paths: Record<string, unknown> };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths)).toContain("/v1/chat/completions");
});
