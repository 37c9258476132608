/** The words of an answer: as Markdown once its reader is there, and as they came until then and wherever it fails. */
import { Component, useEffect, useState, type ComponentType, type ReactNode } from "react";
import { loadAgain } from "./load-again.ts";

interface Words {
  readonly text: string;
}

/** Loaded for itself: the reader is a third of the page's code and is not needed before the first answer. */
let Markdown: ComponentType<Words> | null = null;

async function loadMarkdown(): Promise<void> {
  Markdown ??= (await loadAgain(async () => import("./markdown.tsx"))).Markdown;
}

/** Before it is needed: its file may be out of reach by then (no connection; replaced by a newer one's). */
export function prepareMarkdown(): void {
  loadMarkdown().catch(() => {
    // The first answer asks for it again.
  });
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
  const [Reader, setReader] = useState(() => Markdown);
  useEffect(() => {
    if (Reader !== null) return;
    let wanted = true;
    loadMarkdown().then(
      () => wanted && setReader(() => Markdown),
      () => {
        // Its words are there, and the next answer asks for the reader again.
      },
    );
    return () => {
      wanted = false;
    };
  }, [Reader]);
  if (Reader === null) return <Plain text={text} />;
  return (
    <PlainWhereItFails text={text}>
      <Reader text={text} />
    </PlainWhereItFails>
  );
}
