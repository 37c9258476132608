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
/** How often growing code is coloured again, in milliseconds: each time all of it. */
const readEveryMs = 150;

/** @param language the fence's info text; its first word is the language */
export function CodeBlock({ code, language }: { readonly code: string; readonly language: string }) {
  const name = /^[\w+#.-]+/.exec(language)?.[0].toLowerCase();
  return (
    // Code runs from left to right in any language, and must not be translated.
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

/** Text added since the last reading has no colours yet. */
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
  /** `null`: it can't be coloured and is not tried again. */
  readonly parts: readonly CodePart[] | null;
}

/** The latest reading, maybe of a shorter text; one reading at a time. `null`: none yet. */
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

/** Long code has thousands of parts, so they are rendered only after a new reading. */
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
