/** The words of an answer: as Markdown once its reader is there, and as they came until then and wherever it fails. */
import { Component, type ReactNode } from "react";
import { LateCode, useIsLost, useLate } from "./late-code.ts";

interface Words {
  readonly text: string;
}

/** The reader is a third of the page's code and is not needed before the first answer. */
const reader = new LateCode(async () => import("./markdown.tsx"));

/** Before it is needed: its file may be out of reach by then. */
export function prepareMarkdown(): void {
  void reader.want();
}

/** Whether answers stand there as they were written, since their reader could not be had. */
export function useMarkdownLost(): boolean {
  return useIsLost(reader);
}

function Plain({ text }: Words): ReactNode {
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

export function AnswerText({ text }: Words) {
  const loaded = useLate(reader);
  if (loaded === null) return <Plain text={text} />;
  return (
    <PlainWhereItFails text={text}>
      <loaded.Markdown text={text} />
    </PlainWhereItFails>
  );
}
