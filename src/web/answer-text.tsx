/** The words of an answer: as Markdown once its reader is there, and as they came until then and wherever it fails. */
import { Component, useEffect, useSyncExternalStore, type ComponentType, type ReactNode } from "react";
import { loadAgain } from "./load-again.ts";

interface Words {
  readonly text: string;
}

/** Loaded for itself: the reader is a third of the page's code and is not needed before the first answer. */
let reader: ComponentType<Words> | null = null;
let isLost = false;
let loading: Promise<void> | null = null;
const listeners = new Set<() => void>();

/** All answers of a chat ask at the same moment: its file is fetched once for them all. */
async function loadMarkdown(): Promise<void> {
  if (reader !== null) return;
  loading ??= loadAgain(async () => import("./markdown.tsx")).then(
    ({ Markdown }) => loaded(Markdown),
    // Each answer's words are there, and the next answer asks for the reader again.
    () => loaded(null),
  );
  await loading;
}

function loaded(markdown: ComponentType<Words> | null): void {
  reader = markdown;
  isLost = markdown === null;
  loading = null;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Before it is needed: its file may be out of reach by then (no connection; replaced by a newer one's). */
export function prepareMarkdown(): void {
  void loadMarkdown();
}

/** Whether answers stand there as they were written, since their reader could not be had. */
export function useMarkdownLost(): boolean {
  return useSyncExternalStore(subscribe, () => isLost);
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
  const Reader = useSyncExternalStore(subscribe, () => reader);
  useEffect(prepareMarkdown, []);
  if (Reader === null) return <Plain text={text} />;
  return (
    <PlainWhereItFails text={text}>
      <Reader text={text} />
    </PlainWhereItFails>
  );
}
