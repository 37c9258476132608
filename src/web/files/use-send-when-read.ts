/** A question that is asked while its files are still being read waits for them: answered without them, it would be answered wrongly. */
import { useEffect, useState } from "react";
import { isOnItsWay, type FilesView } from "./chat-file.ts";

export interface SendWhenRead {
  readonly send: (text?: string) => void;
  /** Somebody has sent it, and it has not gone yet. */
  readonly waiting: boolean;
  /** Why it has not gone after all; `null`: nothing. */
  readonly held: string | null;
  readonly cancel: () => void;
}

/**
 * @param busy somebody's answer is being written here: another device may have asked meanwhile, and two are never asked at once
 * @param fault why it can't be sent as it is; `null`: it can
 * @param sendNow sends the text, or what is typed at the moment
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

  // Another model was chosen, or a file was removed: whatever stood in the way may do so no more.
  useEffect(() => setHeld(null), [fault, shown.files]);

  useEffect(() => {
    if (asked === null || isReading || busy) return;
    setAsked(null);
    // Those that had failed before are none that it was to wait for.
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
