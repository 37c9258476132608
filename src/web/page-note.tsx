import type { ReactNode } from "react";
import { Icon, signs } from "./icon.tsx";

/**
 * What is to be said of the page itself, or of files where the code that shows them is not there.
 * @param reloads a part of the page could not be had. An old page that asks for a file of its own after a deploy gets it from nowhere any
 * more: only a reload helps, which loses neither the chat nor what was typed.
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
