/** A formula of an answer: set once what sets it is there, and as it was written until then and wherever it can't be. */
import { useCallback, useMemo } from "react";
import { LateCode, useLate } from "./late-code.ts";

/** As large as the rest of the page; most chats have no formula. */
const setter = new LateCode(async () => import("./set-formula.ts"));

export function Formula({ text, display }: { readonly text: string; readonly display: boolean }) {
  const loaded = useLate(setter);
  const drawn = useMemo(() => loaded?.setFormula(text, display) ?? null, [loaded, text, display]);
  const show = useCallback((element: Element | null) => element?.replaceChildren(drawn ?? ""), [drawn]);
  // A formula is read from the left, and is no sentence that a translator could touch. A wide one is scrolled, by keys as well.
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
