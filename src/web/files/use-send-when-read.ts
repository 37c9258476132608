/** Delays a question while its files are being read, since the answer would be wrong without them. */
import { useEffect, useState } from "react";
import { isOnItsWay, type FilesView } from "./chat-file.ts";

export interface SendWhenRead {
  readonly send: (text?: string) => void;
  /** The user has sent it, but it is still waiting. */
  readonly waiting: boolean;
  /** Why it was not sent after all; `null`: no reason. */
  readonly held: string | null;
  readonly cancel: () => void;
}

/**
 * @param busy an answer is being written, maybe to another device's question; only one question runs at a time
 * @param fault why it can't be sent; `null`: it can
 * @param sendNow sends the text, or the draft
 */
export function useSendWhenRead(
  shown: FilesView & { readonly known: boolean },
  busy: boolean,
  fault: string | null,
  sendNow: (text?: string) => void,
): SendWhenRead {
  const [asked, setAsked] = useState<{
    readonly text: string | undefined;
    readonly failed: readonly string[];
  } | null>(null);
  const [held, setHeld] = useState<string | null>(null);
  const isReading = !shown.known || shown.files.some(isOnItsWay);

  const send = (text?: string): void => {
    setHeld(null);
    if (fault !== null) setHeld(`Not sent: ${fault}`);
    else if (isReading) setAsked({ text, failed: failedOf(shown) });
    else sendNow(text);
  };

  // After another choice of model or a removed file the obstacle may be gone.
  useEffect(() => setHeld(null), [fault, shown.files]);

  useEffect(() => {
    if (asked === null || isReading || busy) return;
    setAsked(null);
    // It does not wait for files that had already failed.
    const names = shown.files
      .filter(({ key, state }) => state.kind === "failed" && !asked.failed.includes(key))
      .map(({ name }) => name);
    if (fault !== null) setHeld(`Not sent: ${fault}`);
    else if (names.length === 0) sendNow(asked.text);
    else
      setHeld(
        `Not sent: ${names.join(", ")} can't be asked about. Try again or remove it, then send your message.`,
      );
  }, [asked, isReading, busy, shown, fault, sendNow]);

  return { send, waiting: asked !== null, held, cancel: () => setAsked(null) };
}

function failedOf({ files }: FilesView): readonly string[] {
  return files.filter(({ state }) => state.kind === "failed").map(({ key }) => key);
}
