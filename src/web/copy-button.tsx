import { Icon } from "./icon.tsx";
import { useCopy } from "./use-copy.ts";

const copySign =
  "M10.5 8.5h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM15.5 8.5v-2a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2";
const doneSign = "M5 12.5 10 17.5 19.5 7";

/** @param of what it copies, for screen readers; `within`: finds the element with the text, from the button */
export function CopyButton(props: {
  readonly text: string;
  readonly of: string;
  readonly within: string;
  /** Copies the formatted text as well (use-copy.ts). */
  readonly asShown?: boolean;
}) {
  const { label, copy } = useCopy(props.text, props.asShown ?? false);
  return (
    <button
      type="button"
      className="quiet small sign"
      title={label}
      onClick={({ currentTarget }) =>
        copy(currentTarget.closest(props.within)?.querySelector("[data-copied]"))
      }
    >
      <Icon d={label === "Copy" ? copySign : doneSign} />
      <span className={label === "Selected" ? undefined : "visually-hidden"} aria-live="polite">
        {label}
      </span>
      <span className="visually-hidden"> {props.of}</span>
    </button>
  );
}
