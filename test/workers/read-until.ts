/** The beginning of a stream, as a client has it when it leaves, or when everything is killed. */
export interface Beginning {
  readonly seen: string;
  /** For the rest: another read, or a cancel. */
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}

/** Reads until that is enough. Rejects where the stream ends before: waiting for more of it would never end. */
export async function readUntil(
  { body }: Response,
  isEnough: (seen: string) => boolean | Promise<boolean>,
): Promise<Beginning> {
  if (body === null) throw new Error("the answer has no body");
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let seen = "";
  while (!(await isEnough(seen))) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended too soon, behind: ${seen.slice(-500)}`);
    seen += decoder.decode(value, { stream: true });
  }
  return { seen, reader };
}

/** Enough for `readUntil`: so many events whose text holds `mark`, the last of them whole. */
export function wholeEvents(mark: RegExp, count: number): (seen: string) => boolean {
  return (seen) => [...seen.matchAll(mark)].length >= count && seen.endsWith("\n\n");
}
