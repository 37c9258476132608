import { Fragment, memo, useEffect, useRef, useState, type ReactNode } from "react";
import { CodeReader, type CodeRead } from "./code-reader.ts";
import type { CodePart } from "./code-words.ts";
import { CopyButton } from "./copy-button.tsx";

const reader = new CodeReader((answered, failed) => {
  const worker = new Worker(new URL("code-worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<CodeRead>) => answered(data));
  worker.addEventListener("error", failed);
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
    ask: (asked) => worker.postMessage(asked),
    end: () => worker.terminate(),
  };
});
/** Code that is being written is read anew so often, in milliseconds: each time all of it. */
const readEveryMs = 150;

/** @param language as the fence has it: its first word is one */
export function CodeBlock({ code, language }: { readonly code: string; readonly language: string }) {
  const name = /^[\w+#.-]+/.exec(language)?.[0].toLowerCase();
  return (
    // Code is read from the left, whatever language stands around it, and is nothing to translate.
    <figure className="code" dir="ltr" translate="no">
      <figcaption>
        <span>{language || "code"}</span>
        <CopyButton text={code} of="code" within="figure" />
      </figcaption>
      <pre tabIndex={0}>
        <code data-copied>
          {name === undefined ? code : <Coloured key={name} code={code} language={name} />}
        </code>
      </pre>
    </figure>
  );
}

/** What was added since it was read last has no colours yet. */
function Coloured({ code, language }: { readonly code: string; readonly language: string }): ReactNode {
  const read = useRead(code, language);
  if (read?.parts == null || !code.startsWith(read.code)) return code;
  return (
    <>
      <Parts parts={read.parts} />
      {code.slice(read.code.length)}
    </>
  );
}

interface ReadCode {
  readonly code: string;
  /** `null`: it can't be read, and is not asked for again. */
  readonly parts: readonly CodePart[] | null;
}

/** As it was a moment ago; one reading at a time. `null`: not read yet. */
function useRead(code: string, language: string): ReadCode | null {
  const [read, setRead] = useState<ReadCode | null>(null);
  const latest = useRef(code);
  useEffect(() => {
    latest.current = code;
  }, [code]);
  const isBehind = read === null || (read.parts !== null && read.code !== code);
  useEffect(() => {
    if (!isBehind) return;
    let isWanted = true;
    const ask = async (): Promise<void> => {
      const asked = latest.current;
      const parts = await reader.read({ code: asked, language });
      if (isWanted) setRead({ code: asked, parts });
    };
    const timer = setTimeout(() => void ask(), read === null ? 0 : readEveryMs);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [isBehind, read, language]);
  return read;
}

/** Of long code thousands: as long as nothing new was read they stay. */
const Parts = memo(function Parts({ parts }: { readonly parts: readonly CodePart[] }): ReactNode {
  return parts.map((part, at) =>
    typeof part === "string" ? (
      <Fragment key={at}>{part}</Fragment>
    ) : (
      <span key={at} className={part.of}>
        <Parts parts={part.parts} />
      </span>
    ),
  );
});
