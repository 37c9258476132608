/**
 * What stands on a PDF's page that is none of its text: what was filled into its form, and text that was laid over it. Notes that somebody
 * has stuck to it are comments, which are not read of other documents either.
 */

/** Of PDF.js's annotations, what counts. */
interface Annotation {
  readonly subtype?: unknown;
  readonly rect?: unknown;
  /** Of a form's field. */
  readonly fieldType?: unknown;
  readonly fieldName?: unknown;
  readonly alternativeText?: unknown;
  readonly fieldValue?: unknown;
  readonly password?: unknown;
  readonly options?: unknown;
  readonly checkBox?: unknown;
  readonly radioButton?: unknown;
  readonly buttonValue?: unknown;
  /** Of text that was laid over the page. */
  readonly textContent?: unknown;
  readonly contentsObj?: unknown;
}

/** A line each, from the top of the page downwards. */
export function saidBeside(annotations: readonly unknown[]): readonly string[] {
  return annotations
    .filter((one): one is Annotation => typeof one === "object" && one !== null)
    .map((one) => ({ said: saidBy(one), ...placeOf(one.rect) }))
    .filter(({ said }) => said !== "")
    .toSorted((left, right) => right.top - left.top || left.left - right.left)
    .map(({ said }) => said);
}

function placeOf(rect: unknown): { readonly top: number; readonly left: number } {
  const [left, , , top] = Array.isArray(rect) ? (rect as unknown[]) : [];
  return { top: typeof top === "number" ? top : 0, left: typeof left === "number" ? left : 0 };
}

function saidBy(annotation: Annotation): string {
  if (annotation.subtype === "FreeText") return freeText(annotation);
  if (annotation.subtype !== "Widget" || annotation.password === true) return "";
  const value = valueOf(annotation);
  const label = labelOf(annotation);
  if (value === "") return "";
  return label === "" ? value : `${label}: ${value}`;
}

function freeText({ textContent, contentsObj }: Annotation): string {
  if (Array.isArray(textContent)) return textContent.filter((line) => typeof line === "string").join(" ");
  return textIn(contentsObj, "str");
}

function valueOf({ fieldType, fieldValue, options, checkBox, radioButton, buttonValue }: Annotation): string {
  switch (fieldType) {
    case "Tx":
      return typeof fieldValue === "string" ? fieldValue.trim() : "";
    case "Ch": {
      const chosen: unknown[] = Array.isArray(fieldValue) ? fieldValue : [fieldValue];
      return chosen.flatMap((one) => (typeof one === "string" ? [shownAs(one, options)] : [])).join(", ");
    }
    case "Btn": {
      const isSet = typeof fieldValue === "string" && fieldValue !== "Off" && fieldValue !== "";
      if (!isSet) return "";
      if (checkBox === true) return fieldValue;
      return radioButton === true && fieldValue === buttonValue ? fieldValue : "";
    }
    default:
      return "";
  }
}

/** What is chosen from a list has a word for programs and one for people. */
function shownAs(chosen: string, options: unknown): string {
  const all: unknown[] = Array.isArray(options) ? options : [];
  const option = all.find((one) => textIn(one, "exportValue") === chosen);
  return textIn(option, "displayValue") || chosen;
}

/** What the form says to people, else the last part of the name that programs know it by: `form1[0].LastName[0]`. */
function labelOf({ alternativeText, fieldName }: Annotation): string {
  if (typeof alternativeText === "string" && alternativeText.trim() !== "") return alternativeText.trim();
  const name = typeof fieldName === "string" ? fieldName : "";
  return name.slice(name.lastIndexOf(".") + 1).replace(/\[\d+\]$/, "");
}

function textIn(value: unknown, name: string): string {
  const text: unknown =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  return typeof text === "string" ? text.trim() : "";
}
