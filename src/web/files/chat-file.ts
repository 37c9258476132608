/** What is a chat's file doing, as its chip tells? The types that the page and the code that is loaded for files share, and nothing dear. */
import type { ReactNode } from "react";

export type FileState =
  /** For those before it. */
  | { readonly kind: "waiting" }
  | { readonly kind: "uploading"; readonly percent: number }
  /** It is made searchable on the server. */
  | { readonly kind: "reading" }
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly why: string; readonly retry: boolean };

export interface ChatFile {
  /** On this page. */
  readonly key: string;
  readonly name: string;
  readonly state: FileState;
  /** A picture, as a `data:` URL: it goes with the next message, and is none of the files that are searched. */
  readonly picture?: string;
  /** Something was asked with it, here or (as far as this browser knows) elsewhere: it stays as long as the chat. */
  readonly sent: boolean;
}

export interface FilesView {
  readonly files: readonly ChatFile[];
  /** What is to be said of them all; `null`: nothing. */
  readonly note: string | null;
  /** Why none can be added here; `null`: some can. */
  readonly refused: string | null;
}

export const noFiles: FilesView = { files: [], note: null, refused: null };

export interface FileBarProps {
  readonly view: FilesView;
  readonly onRemove: (key: string) => void;
  readonly onRetry: (key: string) => void;
  readonly onDismiss: () => void;
}

/** What handles the files of one chat. It is loaded with the first of them (desk.ts). */
export interface Desk {
  /** @param seen whether a model here looks at pictures */
  readonly add: (files: readonly File[], seen: boolean) => void;
  readonly remove: (key: string) => Promise<void>;
  readonly retry: (key: string) => void;
  readonly dismiss: () => void;
  /** The vector stores that a question is asked with: none where nothing can be found in them. */
  readonly storeIds: () => readonly string[];
  /** A question was asked with those files that are ready, and with these pictures, as `data:` URLs. */
  readonly asked: (pictures: readonly string[]) => void;
  /** It was not: its words are in the field again, and so are its pictures. */
  readonly refused: () => void;
  /** The conversation is kept now: it can say which store is its own. */
  readonly saved: () => Promise<void>;
  /** Shows what is in that store. */
  readonly open: (storeId: string) => Promise<void>;
  /** A question was refused since the store is there no more. */
  readonly gone: () => void;
  /** Nothing goes on any more. */
  readonly stop: () => void;
}

export interface DeskModule {
  readonly openDesk: (options: DeskOptions) => Desk;
  readonly FileBar: (props: FileBarProps) => ReactNode;
}

export interface DeskOptions {
  readonly conversation: string;
  /** As it is now: a new sign-in brings a new one. */
  readonly token: () => string;
  readonly show: (change: Partial<FilesView>) => void;
}

/** What the next message shows the model. */
export function picturesOf({ files }: FilesView): readonly string[] {
  return files.flatMap(({ picture, state }) =>
    picture === undefined || state.kind !== "ready" ? [] : [picture],
  );
}

/** Whether a question has to wait for it. */
export function isOnItsWay({ state }: ChatFile): boolean {
  return state.kind === "waiting" || state.kind === "uploading" || state.kind === "reading";
}
