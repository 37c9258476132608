/**
 * Which messages does a conversation show, and which other versions of them exist? Pure: from the items of the active branch
 * and the list of branches, as the API returns them.
 */
import type { ChatMessage } from "./chat-state.ts";
import type { Source } from "./sources.tsx";

/** An item of the active branch, oldest first. */
export interface ThreadItem {
  readonly id: string;
  /** `null`: not a message (a tool's call or result). */
  readonly role: "user" | "assistant" | null;
  readonly text: string;
  readonly pictures?: readonly string[];
  /** Names of files that came with it. */
  readonly files?: readonly string[];
  /** It was stopped or broke off. */
  readonly incomplete?: boolean;
  /** Its sources; absent: none. */
  readonly sources?: readonly Source[];
}

export interface ThreadBranch {
  readonly id: string;
  readonly parent: string | null;
  /** The last item that it shares with its parent; `null`: none. */
  readonly behind: string | null;
  readonly last: string | null;
  readonly active: boolean;
}

/** Stands for an item's id: the place before the first item. */
const root = "root";

/** @param hasEarlier whether items before the first one were not loaded */
export function threadOf(
  items: readonly ThreadItem[],
  branches: readonly ThreadBranch[],
  hasEarlier: boolean,
): ChatMessage[] {
  const versionsAt = versionsByPlace(branches);
  return items.flatMap((item, at): ChatMessage[] => {
    if (item.role === null || (item.text === "" && item.pictures === undefined && item.files === undefined))
      return [];
    const before = items[at - 1]?.id ?? (hasEarlier ? null : root);
    const behind = item.role === "user" ? before : null;
    const versions = behind === null ? undefined : versionsAt.get(behind);
    return [
      {
        id: item.id,
        role: item.role,
        text: item.text,
        ...(item.pictures === undefined ? {} : { pictures: item.pictures }),
        ...(item.files === undefined ? {} : { files: item.files }),
        reasoning: "",
        status: item.incomplete === true ? "cut" : "done",
        ...(item.sources === undefined ? {} : { sources: item.sources }),
        // Its files can't be sent again from here.
        ...(behind === null || item.files !== undefined ? {} : { behind }),
        ...(versions === undefined ? {} : { versions }),
      },
    ];
  });
}

/** For each item after which branches part: these branches, and which of them is shown. */
function versionsByPlace(
  branches: readonly ThreadBranch[],
): ReadonlyMap<string, { readonly branches: readonly string[]; readonly at: number }> {
  const byId = new Map(branches.map((branch) => [branch.id, branch]));
  const shown = new Set<string>();
  let branch = branches.find(({ active }) => active);
  while (branch !== undefined && !shown.has(branch.id)) {
    shown.add(branch.id);
    branch = byId.get(branch.parent ?? "");
  }
  const places = new Map<string, string[]>();
  for (const { id, parent, behind } of branches) {
    if (parent === null) continue;
    const place = behind ?? root;
    // The parent's own continuation is a version, too, if there is one.
    const goesOn = (byId.get(parent)?.last ?? null) !== behind;
    const known = places.get(place) ?? (goesOn ? [parent] : []);
    places.set(place, [...known, id]);
  }
  // The parent precedes all its branches, so the last shown branch is the active version.
  return new Map(
    [...places]
      .filter(([, ids]) => ids.length > 1)
      .map(([place, ids]) => [
        place,
        {
          branches: ids,
          at: Math.max(
            0,
            ids.findLastIndex((id) => shown.has(id)),
          ),
        },
      ]),
  );
}
