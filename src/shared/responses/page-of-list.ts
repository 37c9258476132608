/** The page of a list that is in memory, as OpenAI's lists are paged; `null`: `after` names nothing of it. */
export function pageOfList<Item extends { readonly id: string }>(
  items: readonly Item[],
  page: { readonly after: string | null; readonly limit: number; readonly order: "asc" | "desc" },
): { readonly data: Item[]; readonly hasMore: boolean } | null {
  const ordered = page.order === "asc" ? items : items.toReversed();
  const begin = page.after === null ? 0 : ordered.findIndex((item) => item.id === page.after) + 1;
  if (page.after !== null && begin === 0) return null;
  const end = begin + page.limit;
  return { data: ordered.slice(begin, end), hasMore: end < ordered.length };
}
