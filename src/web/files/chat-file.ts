/** The states of a chat's files. Only types and small functions, shared by the page and the late-loaded code for files. */
import type { ReactNode } from "react";

export type FileState =
  /** Waits for the files before it. */
  | { readonly kind: "waiting" }
  | { readonly kind: "uploading"; readonly percent: number }
  /** The server is making it searchable. */
  | { readonly kind: "reading" }
  | { readonly kind: "ready" }
  | {
      readonly kind: "failed";
      readonly why: string;
      readonly retry: boolean;
      /** Before that another attempt would be refused as well. */
      readonly untilMs?: number;
    };

export interface ChatFile {
  /** Identifies it on this page. */
  readonly key: string;
  readonly name: string;
  readonly state: FileState;
  /** A picture as a `data:` URL: it goes with the next message and is not searched. */
  readonly picture?: string;
  /** A question was asked with it, here or (as far as this browser knows) elsewhere: it stays as long as the chat. */
  readonly sent: boolean;
}

export interface FilesView {
  readonly files: readonly ChatFile[];
  /** A note about all of them; `null`: none. */
  readonly note: string | null;
  /** Why no file can be added; `null`: files can be added. */
  readonly refused: string | null;
}

export const noFiles: FilesView = { files: [], note: null, refused: null };

export interface FileBarProps {
  readonly view: FilesView;
  readonly onRemove: (key: string) => void;
  readonly onRetry: (key: string) => void;
  readonly onDismiss: () => void;
}

/** Handles the files of one chat. Loaded with the first file (desk.ts). */
export interface Desk {
  /** @param seen whether a model accepts pictures */
  readonly add: (files: readonly File[], seen: boolean) => void;
  readonly remove: (key: string) => Promise<void>;
  readonly retry: (key: string) => void;
  readonly dismiss: () => void;
  /** The vector stores for a question: empty if they contain nothing searchable. */
  readonly storeIds: () => readonly string[];
  /** A question was asked with the files that are ready, and with these pictures (`data:` URLs). */
  readonly asked: (pictures: readonly string[]) => void;
  /** The question was refused: its text and pictures return to the field. */
  readonly refused: () => void;
  /** The conversation is saved, so its metadata can name its store. */
  readonly saved: () => Promise<void>;
  /** Shows the files of that store. */
  readonly open: (storeId: string) => Promise<void>;
  /** A question was refused because the store no longer exists. */
  readonly gone: () => void;
  /** Stops everything in progress. */
  readonly stop: () => void;
}

export interface DeskModule {
  readonly openDesk: (options: DeskOptions) => Desk;
  readonly FileBar: (props: FileBarProps) => ReactNode;
}

export interface DeskOptions {
  readonly conversation: string;
  /** The current token: signing in again changes it. */
  readonly token: () => string;
  readonly show: (change: Partial<FilesView>) => void;
}

/** The pictures of the next message. */
export function picturesOf({ files }: FilesView): readonly string[] {
  return files.flatMap(({ picture, state }) =>
    picture === undefined || state.kind !== "ready" ? [] : [picture],
  );
}

/** Whether a question must wait for it. */
export function isOnItsWay({ state }: ChatFile): boolean {
  return state.kind === "waiting" || state.kind === "uploading" || state.kind === "reading";
}
