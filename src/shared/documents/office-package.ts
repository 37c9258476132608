/**
 * Which parts has an Office file, and which belongs to which? ECMA-376 part 2 (Open Packaging Conventions): parts in a ZIP archive, joined
 * by relationships. Nothing outside the archive is ever followed.
 */
import { Unreadable } from "./unreadable.ts";
import { attributeOf, readXml, type XmlSink } from "./xml-reader.ts";
import type { ZipArchive } from "./zip-archive.ts";

export type OfficeKind = "document" | "presentation" | "workbook";

export interface Relationship {
  /** The last word of its type: `styles`, `slide`, …. */
  readonly type: string;
  /** The part that it leads to. */
  readonly part: string;
}

export class OfficePackage {
  readonly #archive: ZipArchive;

  constructor(archive: ZipArchive) {
    this.#archive = archive;
  }

  /** The part that everything hangs from. @throws Unreadable where it is another kind of archive */
  main(): { readonly kind: OfficeKind; readonly part: string } {
    const root = [...this.relationships("").values()].find(({ type }) => type === "officeDocument");
    if (root === undefined) throw new Unreadable("foreign");
    const contentType = this.#contentTypeOf(root.part);
    // `…wordprocessingml.document.main+xml`, `….document.macroEnabled.main+xml` of Word and the like; not the binary workbook's.
    const kind = kinds.find(([pattern]) => pattern.test(contentType))?.[1];
    if (kind === undefined) throw new Unreadable("foreign");
    return { kind, part: root.part };
  }

  has(part: string): boolean {
    return this.#archive.has(part);
  }

  /** @throws Unreadable where the part is missing */
  read(part: string, sink: XmlSink): void {
    const bytes = this.#archive.read(part);
    if (bytes === null) throw new Unreadable("broken");
    readXml(bytes, sink);
  }

  /** Those of a part, by id. Empty: it has none. @param part `""`: the package's own */
  relationships(part: string): ReadonlyMap<string, Relationship> {
    const cut = part.lastIndexOf("/") + 1;
    const folder = part.slice(0, cut);
    const bytes = this.#archive.read(`${folder}_rels/${part.slice(cut)}.rels`);
    const found = new Map<string, Relationship>();
    if (bytes === null) return found;
    readXml(bytes, {
      open(name, attributes) {
        if (name !== "Relationship" || attributeOf(attributes, "TargetMode") === "External") return;
        const target = attributeOf(attributes, "Target") ?? "";
        found.set(attributeOf(attributes, "Id") ?? "", {
          type: (attributeOf(attributes, "Type") ?? "").replace(/^.*\//, ""),
          part: partNamed(target, folder),
        });
      },
      close: () => undefined,
      text: () => undefined,
    });
    return found;
  }

  #contentTypeOf(part: string): string {
    let found = "";
    const wanted = `/${part}`.toLowerCase();
    this.read("[Content_Types].xml", {
      open(name, attributes) {
        if (name === "Override" && attributeOf(attributes, "PartName")?.toLowerCase() === wanted)
          found = attributeOf(attributes, "ContentType") ?? "";
      },
      close: () => undefined,
      text: () => undefined,
    });
    return found;
  }
}

const kinds: readonly (readonly [RegExp, OfficeKind])[] = [
  [/wordprocessingml\.|ms-word\./, "document"],
  [/presentationml\.|ms-powerpoint\./, "presentation"],
  [/spreadsheetml\.|ms-excel\.(?:sheet|template)\.macroEnabled/, "workbook"],
];

/** A relationship's target is a reference relative to the folder of the part that it belongs to. */
function partNamed(target: string, folder: string): string {
  const steps: string[] = [];
  for (const step of (target.startsWith("/") ? target : folder + target).replaceAll("\\", "/").split("/"))
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  return steps.join("/");
}
