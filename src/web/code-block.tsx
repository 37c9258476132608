import { useState } from "react";

export function CodeBlock({ code, language }: { readonly code: string; readonly language: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(code).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1500);
      },
      // Without the permission there is no copying; selecting by hand still works.
      () => setCopied(false),
    );
  };
  return (
    // Code is read from the left, whatever language stands around it.
    <figure className="code" dir="ltr">
      <figcaption>
        <span>{language || "code"}</span>
        <button type="button" className="quiet" onClick={copy}>
          {copied ? "Copied" : "Copy"}
        </button>
      </figcaption>
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </figure>
  );
}
