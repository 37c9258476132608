import { useCopy } from "./use-copy.ts";

/** @param of what it copies, for who hears its name alone; `within`: the element that holds it, seen from the button */
export function CopyButton(props: {
  readonly text: string;
  readonly of: string;
  readonly within: string;
  /** Beside the text, what is seen of it (use-copy.ts). */
  readonly asShown?: boolean;
}) {
  const { label, copy } = useCopy(props.text, props.asShown ?? false);
  return (
    <button
      type="button"
      className="quiet small"
      onClick={({ currentTarget }) =>
        copy(currentTarget.closest(props.within)?.querySelector("[data-copied]"))
      }
    >
      <span aria-live="polite">{label}</span>
      <span className="visually-hidden"> {props.of}</span>
    </button>
  );
}
