/** The words of an answer: as Markdown once its reader is there, and as they came until then and wherever it fails. */
import { Component, type ReactNode } from "react";
import { LateCode, useIsLost, useLate } from "./late-code.ts";
import type { Source } from "./sources.tsx";

interface Words {
  readonly text: string;
  /** What it cites. */
  readonly sources: readonly Source[];
}

/** A fifth of the page's code, which is not needed before the first answer. */
const parts = new LateCode(async () => import("./message-parts.ts"));

/** Asked for by a chat without a message, too: their file may be out of reach by then. `null`: they are not there yet, or can't be had. */
export function useMessageParts(): typeof import("./message-parts.ts") | null {
  return useLate(parts);
}

/** Whether messages are nothing but their words, since the rest could not be had. */
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

/** What can't be read as Markdown (a quote that is nested ten thousand deep) is still an answer, and no reason for an empty page. */
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
