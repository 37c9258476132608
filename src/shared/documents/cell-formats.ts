/**
 * How does a workbook write a number? A date is a number of days, told as a date by the cell's format alone (ECMA-376 part 1, 18.8.30);
 * without it a search for a day would find `45992`, and one for `25%` nothing but `0.25`. All other numbers are written plain.
 */
import type { OfficePackage } from "./office-package.ts";
import { attributeOf } from "./xml-reader.ts";

export interface CellFormats {
  /** @param format the cell's place among the workbook's formats */
  written(value: string, format: number): string;
}

type Shape = "number" | "percent" | "date" | "time" | "date-time" | "duration" | "either";

/** Those of the formats that every workbook has without writing them down. */
const builtIn: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [9, "percent"],
  [10, "percent"],
  [14, "date"],
  [15, "date"],
  [16, "date"],
  [17, "date"],
  [18, "time"],
  [19, "time"],
  [20, "time"],
  [21, "time"],
  [22, "date-time"],
  [45, "time"],
  [46, "duration"],
  [47, "time"],
  // Of Chinese, Japanese and Korean workbooks, which mean a date by one number and a time by another: their values tell.
  ...[27, 28, 29, 30, 31, 32, 33, 34, 35, 36].map((id) => [id, "either"] as const),
  ...[50, 51, 52, 53, 54, 55, 56, 57, 58].map((id) => [id, "either"] as const),
]);

const dayMs = 86_400_000;
/** Day 0, which no calendar has: Excel counts a 29 February 1900 that never was, so that this holds from 1 March 1900 on. */
const epoch1900 = Date.UTC(1899, 11, 30);
const epoch1904 = Date.UTC(1904, 0, 1);
/** 31 December 9999. */
const lastDay = 2_958_465;

/** @param part the workbook's styles; `null`: it has none */
export function cellFormats(office: OfficePackage, part: string | null, from1904: boolean): CellFormats {
  const shapes = part === null ? [] : shapesOf(office, part);
  const epoch = from1904 ? epoch1904 : epoch1900;
  return {
    written(value, format) {
      const number = Number(value);
      if (value.trim() === "" || !Number.isFinite(number)) return value;
      const shape = shapes[format] ?? "number";
      if (shape === "percent") return `${plain(number * 100)}%`;
      if (shape === "number" || number < 0 || number > lastDay) return plain(number);
      if (shape === "duration") return durationOf(number);
      const known = shape === "either" ? shapeOfValue(number) : shape;
      return dateOf(new Date(Math.round((epoch + number * dayMs) / 1000) * 1000), known);
    },
  };
}

/** Rounds away binary noise: no one wrote `0.30000000000000004`. */
function plain(number: number): string {
  return String(Number(number.toPrecision(15)));
}

function shapeOfValue(number: number): "date" | "time" | "date-time" {
  if (number < 1) return "time";
  return Number.isInteger(number) ? "date" : "date-time";
}

function dateOf(date: Date, shape: "date" | "time" | "date-time"): string {
  const [day = "", rest = ""] = date.toISOString().split("T");
  const time = rest.slice(0, rest.startsWith("00:00:00") ? 5 : rest.slice(6, 8) === "00" ? 5 : 8);
  if (shape === "date") return day;
  return shape === "time" ? time : `${day} ${time}`;
}

/** Hours go on behind 24. */
function durationOf(days: number): string {
  const seconds = Math.round((days * dayMs) / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** The shape of each of the workbook's formats, which cells name by their place. */
function shapesOf(office: OfficePackage, part: string): readonly Shape[] {
  const own = new Map<number, Shape>();
  const shapes: Shape[] = [];
  let isCell = false;
  office.read(part, {
    open(name, attributes) {
      if (name === "numFmt")
        own.set(
          Number(attributeOf(attributes, "numFmtId")),
          shapeOf(attributeOf(attributes, "formatCode") ?? ""),
        );
      else if (name === "cellXfs") isCell = true;
      else if (name === "xf" && isCell) {
        const id = Number(attributeOf(attributes, "numFmtId") ?? "0");
        shapes.push(own.get(id) ?? builtIn.get(id) ?? "number");
      }
    },
    close(name) {
      if (name === "cellXfs") isCell = false;
    },
    text: () => undefined,
  });
  return shapes;
}

/** `[$-407]d. mmmm yyyy` is a date, `#,##0 "days"` is none: what stands in quotes, brackets or behind a backslash is written as it is. */
function shapeOf(code: string): Shape {
  const [positive = ""] = code.split(";", 1);
  const written = positive.replaceAll(/"[^"]*"?|\\.|_.|\*./g, "").toLowerCase();
  if (/\[(?:h+|m+|s+)\]/.test(written)) return "duration";
  const letters = written.replaceAll(/\[[^\]]*\]?/g, "");
  if (letters.includes("%")) return "percent";
  if (/general/.test(letters)) return "number";
  const isDate = /[yd]/.test(letters) || (/m/.test(letters) && !/[hs]/.test(letters));
  const isTime = /[hs]/.test(letters);
  if (isDate) return isTime ? "date-time" : "date";
  return isTime ? "time" : "number";
}
