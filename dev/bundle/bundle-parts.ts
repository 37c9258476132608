/** What is a bundle made of? From esbuild's metafile: bytes by package and by folder, and packages that are in it twice. */

/** The used part of https://esbuild.github.io/api/#metafile. */
export interface BundleMetafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly bytes: number;
        readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
      }
    >
  >;
}

export interface BundlePart {
  /** A package, a folder of ours (`src/shared/limits`), or a file outside both. */
  readonly name: string;
  /** Bytes of the output, without the bundler's own lines. */
  readonly bytes: number;
}

/** The largest first. */
export function bundleParts(metafile: BundleMetafile): readonly BundlePart[] {
  const sums = new Map<string, number>();
  for (const [path, bytes] of inputsOf(metafile)) {
    if (bytes === 0) continue;
    const name = packageOf(path)?.name ?? folderOf(path);
    sums.set(name, (sums.get(name) ?? 0) + bytes);
  }
  return [...sums]
    .map(([name, bytes]) => ({ name, bytes }))
    .sort((one, other) => other.bytes - one.bytes || one.name.localeCompare(other.name));
}

/** Names of packages that the bundle contains twice: two versions, or one version from two folders. */
export function packagesTwice(metafile: BundleMetafile): readonly string[] {
  const folders = new Map<string, Set<string>>();
  for (const [path, bytes] of inputsOf(metafile)) {
    const found = bytes === 0 ? null : packageOf(path);
    if (found === null) continue;
    const known = folders.get(found.name) ?? new Set();
    folders.set(found.name, known.add(found.folder));
  }
  return [...folders].flatMap(([name, known]) => (known.size > 1 ? [name] : []));
}

function inputsOf(metafile: BundleMetafile): readonly (readonly [string, number])[] {
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const),
  );
}

function packageOf(path: string): { readonly name: string; readonly folder: string } | null {
  const marker = "node_modules/";
  const at = path.lastIndexOf(marker);
  if (at === -1) return null;
  const [first = "", second = ""] = path.slice(at + marker.length).split("/");
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  return { name, folder: path.slice(0, at + marker.length) + name };
}

/** Folders of ours by their purpose: `src/shared/limits`, `durable-objects/session`, `workers/edge`. */
function folderOf(path: string): string {
  const steps = path.replace(/^(?:\.\.\/)+/, "").split("/");
  const depth = steps[0] === "src" ? 3 : 2;
  return steps.length <= depth ? steps.join("/") : steps.slice(0, depth).join("/");
}
