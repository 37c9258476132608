/** A sheet over the page. */
import { useEffect, useRef, type ReactNode } from "react";
import { Icon, signs } from "./icon.tsx";

export function Sheet(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const frame = useRef<HTMLDialogElement>(null);
  useEffect(() => frame.current?.showModal(), []);
  const close = (): void => frame.current?.close();
  return (
    <dialog
      ref={frame}
      aria-labelledby="sheet-title"
      onClose={props.onClose}
      // Keys in it don't reach the page behind it: Escape must not stop an answer.
      onKeyDown={(event) => event.stopPropagation()}
      // A click beside it.
      onClick={({ target, currentTarget }) => target === currentTarget && close()}
    >
      <div className="sheet">
        <div className="row">
          <h2 id="sheet-title">{props.title}</h2>
          <button type="button" className="quiet round" aria-label="Close" title="Close" onClick={close}>
            <Icon d={signs.cross} />
          </button>
        </div>
        {props.children}
      </div>
    </dialog>
  );
}
