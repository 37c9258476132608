import type { ReactNode } from "react";
import { Icon, signs } from "./icon.tsx";

/**
 * A note about the page itself, or about files if the code that shows them is missing.
 * @param reloads a part of the page could not be loaded. After a deploy an old page's files no longer exist: only a reload helps, which
 * keeps the chat and the draft.
 */
export function PageNote(props: {
  readonly children: ReactNode;
  readonly reloads: boolean;
  readonly onDismiss?: () => void;
}): ReactNode {
  return (
    <p className="file-note" role="alert">
      {props.children}{" "}
      {props.reloads ? (
        <button type="button" className="small" onClick={() => location.reload()}>
          Reload
        </button>
      ) : null}{" "}
      {props.onDismiss === undefined ? null : (
        <button type="button" className="quiet small" aria-label="Dismiss" onClick={props.onDismiss}>
          <Icon d={signs.cross} />
        </button>
      )}
    </p>
  );
}
