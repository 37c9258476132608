/** An icon on a button, in the colour of the text around it. Hidden from screen readers: the button has a name in words. */
import type { ReactNode } from "react";

/** @param d an SVG path in a square of 24 units */
export function Icon({ d }: { readonly d: string }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={d} />
    </svg>
  );
}

export const signs = {
  up: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7zM8.5 8.5h7v7h-7zM10 10h4v4h-4zM11.5 11.5h1v1h-1z",
  cross: "M6 6l12 12M18 6 6 18",
  menu: "M4 7h16M4 12h16M4 17h10",
  write: "M12 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-6M9 15l1-4 8-8 3 3-8 8z",
  clip: "M8 12.5 14.6 6a3.2 3.2 0 0 1 4.5 4.5l-8.6 8.6a5.2 5.2 0 0 1-7.4-7.4l8-8",
} as const;
