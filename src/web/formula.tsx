/** A formula of an answer: rendered once that code is loaded; shown as written before, and if that fails. */
import { useCallback, useMemo } from "react";
import { LateCode, useLate } from "./late-code.ts";

/** This code is as large as the rest of the page, and most chats have no formula. */
const setter = new LateCode(async () => import("./set-formula.ts"));

export function Formula({ text, display }: { readonly text: string; readonly display: boolean }) {
  const loaded = useLate(setter);
  const drawn = useMemo(() => loaded?.setFormula(text, display) ?? null, [loaded, text, display]);
  const show = useCallback((element: Element | null) => element?.replaceChildren(drawn ?? ""), [drawn]);
  // A formula runs from left to right and must not be translated. A wide one can be scrolled, also by keys.
  const tabIndex = display ? 0 : undefined;
  if (drawn === null)
    return (
      <code className={display ? "math display" : "math"} dir="ltr" translate="no" tabIndex={tabIndex}>
        {text}
      </code>
    );
  return (
    <span
      className={display ? "formula display" : "formula"}
      data-tex={display ? `$$${text}$$` : `$${text}$`}
      dir="ltr"
      translate="no"
      tabIndex={tabIndex}
      ref={show}
    />
  );
}
