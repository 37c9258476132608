/** The text of an answer: as Markdown once that code is loaded, as plain text before and if it fails. */
import { Component, type ReactNode } from "react";
import { LateCode, useIsLost, useLate } from "./late-code.ts";
import type { Source } from "./sources.tsx";

interface Words {
  readonly text: string;
  /** The sources that it cites. */
  readonly sources: readonly Source[];
}

/** A fifth of the page's code, not needed before the first answer. */
const parts = new LateCode(async () => import("./message-parts.ts"));

/** Requested even by an empty chat, since the file may be unreachable later. `null`: not loaded yet, or it failed. */
export function useMessageParts(): typeof import("./message-parts.ts") | null {
  return useLate(parts);
}

/** Whether messages are shown as plain text because the code could not be loaded. */
export function useMessagePartsLost(): boolean {
  return useIsLost(parts);
}

function Plain({ text }: { readonly text: string }): ReactNode {
  return (
    <p className="plain" dir="auto">
      {text}
    </p>
  );
}

/** Shows text that fails as Markdown (a quote nested ten thousand deep) as plain text, instead of an empty page. */
class PlainWhereItFails extends Component<{ readonly text: string; readonly children: ReactNode }> {
  override readonly state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <Plain text={this.props.text} /> : this.props.children;
  }
}

export function AnswerText({ text, sources }: Words) {
  const loaded = useLate(parts);
  if (loaded === null) return <Plain text={text} />;
  return (
    <PlainWhereItFails text={text}>
      <loaded.Markdown text={text} sources={sources} />
    </PlainWhereItFails>
  );
}
