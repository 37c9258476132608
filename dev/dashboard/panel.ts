/** What is a panel of the dashboard, and a row of them? */
import { ask, type Question } from "./questions.ts";

export interface Panel {
  readonly title: string;
  /** A number with its history, or curves; stacked ones are parts of a sum. */
  readonly kind: "number" | "curves" | "stack";
  /** Grafana's name of the unit; `cps`: how often in a second, of what is no request. */
  readonly unit: "reqps" | "cps" | "short" | "s" | "percentunit" | "currencyUSD";
  readonly asks: readonly Question[];
  readonly about?: string;
  /** The values from which a number is yellow, and red. */
  readonly yellowRed?: readonly [yellow: number, red: number];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export function number(title: string, unit: Panel["unit"], expr: string): Panel {
  return { title, kind: "number", unit, asks: [ask(expr, "")] };
}

export function curves(title: string, unit: Panel["unit"], ...asks: readonly Question[]): Panel {
  return { title, kind: "curves", unit, asks };
}

export function stack(title: string, unit: Panel["unit"], ...asks: readonly Question[]): Panel {
  return { title, kind: "stack", unit, asks };
}
