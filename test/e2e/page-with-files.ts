/** Files on the chat page, for its tests: what is attached, and how it is seen. */
import type { Page } from "playwright-core";
import { expect } from "vitest";

export const rules = "Devices may be returned within thirty days of purchase.";
/** The first bytes of something compressed. */
export const archive = Buffer.from("1f8b0800000000000003", "hex");
export const question = "Within how many days of purchase may devices be returned?";

export async function choose(
  page: Page,
  ...files: readonly (readonly [name: string, text: string | Buffer])[]
) {
  await page.locator("input[type=file]").setInputFiles(
    files.map(([name, text]) => ({
      name,
      mimeType: name.endsWith(".png") ? "image/png" : "text/plain",
      buffer: Buffer.from(text),
    })),
  );
}

export const chip = (page: Page, name: string) => page.locator(".chip").filter({ hasText: name });

export async function ready(page: Page, name: string): Promise<void> {
  await chip(page, name).getByText("Ready").waitFor();
}

/** What stands under the answers, and comes with the code that shows it. */
export const cites = (page: Page, ...sources: readonly string[]) =>
  expect.poll(() => page.locator(".sources summary").allTextContents()).toEqual(sources);
