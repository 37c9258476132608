/**
 * TeX as MathML, which browsers draw themselves and screen readers read (docs/decisions/0097-formulas-as-mathml.md). Only what a model
 * wrote comes here: no command of it may name an address, run for long, or draw outside of its place.
 */
import temml from "temml";
import styles from "temml/dist/Temml-Local.css?inline";
import { addStyles } from "./late-code.ts";

addStyles(styles);

/** Ten thousand take some 100 ms. Longer is no formula. */
const maxUnits = 10_000;

/** `null`: it is none that could be set, and is shown as it was written. */
export function setFormula(text: string, display: boolean): Element | null {
  if (text.length > maxUnits) return null;
  const place = document.createElement("span");
  try {
    temml.render(text, place, {
      displayMode: display,
      throwOnError: true,
      trust: false,
      wrap: display ? "none" : "tex",
      maxExpand: 1000,
      maxSize: [40, 20],
    });
  } catch {
    // TeX of which it is no part, or braces thousands deep: whoever reads it sees what the model wrote.
    return null;
  }
  // `\label` and `\ref` make names and links of whatever a model says, of which the page has its own.
  for (const named of place.querySelectorAll("[id], [href]"))
    for (const attribute of ["id", "href"]) named.removeAttribute(attribute);
  return place.firstElementChild;
}
