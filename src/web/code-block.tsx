import { CopyButton } from "./copy-button.tsx";

export function CodeBlock({ code, language }: { readonly code: string; readonly language: string }) {
  return (
    // Code is read from the left, whatever language stands around it, and is nothing to translate.
    <figure className="code" dir="ltr" translate="no">
      <figcaption>
        <span>{language || "code"}</span>
        <CopyButton text={code} of="code" within="figure" />
      </figcaption>
      <pre tabIndex={0}>
        <code data-copied>{code}</code>
      </pre>
    </figure>
  );
}
