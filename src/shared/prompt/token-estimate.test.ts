import { expect, test } from "vitest";
import counts from "./fixtures/token-counts.json" with { type: "json" };
import { TokenCalibration } from "./token-calibration.ts";
import {
  estimateMessageTokens,
  estimatePromptTokens,
  estimateTokens,
  llama31Overhead,
} from "./token-estimate.ts";

const tolerance: Record<string, number> = {
  english: 0.07,
  code: 0.05,
  chinese: 0.03,
  japanese: 0.03,
  korean: 0.03,
};

test.each(Object.entries(counts))(
  "%s is estimated near Llama 3's own count",
  (kind, { text, llama3Tokens }) => {
    const error = estimateTokens(text) / llama3Tokens - 1;
    expect(Math.abs(error)).toBeLessThan(tolerance[kind] ?? 0);
  },
);

test("a long text is sampled, and comes out as the sum of its parts", () => {
  const { text, llama3Tokens } = counts.english;
  const times = 100;
  const estimate = estimateTokens(`${text}\n`.repeat(times));
  expect(Math.abs(estimate / (llama3Tokens * times) - 1)).toBeLessThan(0.08);
});

test("an empty text has no tokens, and a blank one few", () => {
  expect(estimateTokens("")).toBe(0);
  expect(estimateTokens("\n\n\n")).toBeLessThan(3);
});

test("a prompt costs its template, its messages and its tools", () => {
  const messages = [{ role: "user", content: "Hi" }];
  const plain = estimatePromptTokens({ messages }, llama31Overhead);
  // Counted: 26 for the system block, 6 for the message, 4 for the answer's header.
  expect(plain).toBeGreaterThanOrEqual(35);
  expect(plain).toBeLessThanOrEqual(38);
  const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
  expect(estimatePromptTokens({ messages, tools }, llama31Overhead)).toBeGreaterThan(plain + 15);
});

test("an image costs far more than its part's few characters", () => {
  const message = { role: "user", content: [{ type: "image_url" }] };
  expect(estimateMessageTokens(message, llama31Overhead)).toBeGreaterThan(1_000);
});

test("a calibration starts at one, follows the engine's counts, and stays in its bounds", () => {
  const calibration = new TokenCalibration();
  expect(calibration.ratio("demo", "m")).toBe(1);
  for (let round = 0; round < 200; round += 1) calibration.observe("demo", "m", 1_000, 1_200);
  expect(calibration.ratio("demo", "m")).toBeCloseTo(1.2, 1);
  expect(calibration.ratio("other", "m")).toBe(1);
  for (let round = 0; round < 500; round += 1) calibration.observe("demo", "m", 1_000, 1_000_000);
  expect(calibration.ratio("demo", "m")).toBeLessThanOrEqual(3);
  calibration.observe("demo", "m", 0, 10);
  calibration.observe("demo", "m", Number.NaN, 10);
  expect(Number.isFinite(calibration.ratio("demo", "m"))).toBe(true);
});

test("a calibration holds a bounded number of pairs and forgets the least recently used", () => {
  const calibration = new TokenCalibration(2);
  calibration.observe("a", "m", 10_000, 20_000);
  calibration.observe("b", "m", 10_000, 20_000);
  calibration.observe("a", "m", 10_000, 20_000);
  calibration.observe("c", "m", 10_000, 20_000);
  expect(calibration.ratio("b", "m")).toBe(1);
  expect(calibration.ratio("a", "m")).toBeGreaterThan(1.5);
});
