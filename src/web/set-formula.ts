/**
 * TeX as MathML, which browsers draw themselves and screen readers read (docs/decisions/0097-formulas-as-mathml.md). The input
 * comes from a model, so no command in it may contain an address, run for long, or draw outside its place.
 */
import temml from "temml";
import styles from "temml/dist/Temml-Local.css?inline";
import { addStyles } from "./late-code.ts";

addStyles(styles);

/** Ten thousand take about 100 ms. Nothing longer is a formula. */
const maxUnits = 10_000;

/** `null`: it can't be rendered, and is shown as written. */
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
    // Not TeX, or braces thousands deep: the reader sees what the model wrote.
    return null;
  }
  // `\label` and `\ref` make ids and links from the model's text, which might collide with the page's own.
  for (const named of place.querySelectorAll("[id], [href]"))
    for (const attribute of ["id", "href"]) named.removeAttribute(attribute);
  return place.firstElementChild;
}
