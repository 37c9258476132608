/** The user's chats, newest first: open, rename, download, delete. */
import { Fragment, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import type { ListedConversation } from "./conversations-api.ts";
import { chatGroups } from "./chat-groups.ts";
import { Icon } from "./icon.tsx";
import { composes } from "./keys.ts";
import { markAnswered, nameTab } from "./page-title.ts";
import { type FoundChats, isSearchable, useFoundChats } from "./search-chats.ts";
import { useConversations } from "./use-conversations.ts";

export interface ConversationListProps {
  readonly token: string;
  readonly current: string;
  /** Counts saved turns and titles, after which the list has changed. */
  readonly saves: number;
  readonly onOpen: (id: string) => void;
  readonly onDeleted: (id: string) => void;
}

export function ConversationList(props: ConversationListProps): ReactNode {
  const conversations = useConversations(props.token, props.saves);
  const [search, setSearch] = useState("");
  const found = useFoundChats(conversations, search);
  useEffect(() => {
    // While the page is hidden, only a running answer can be saved.
    if (props.saves > 0) markAnswered();
  }, [props.saves]);
  useTitle(conversations.entries.find(({ id }) => id === props.current)?.title ?? null);
  return (
    <>
      {search !== "" || isSearchable(conversations) ? (
        <input
          type="search"
          dir="auto"
          aria-label="Search chats by name"
          placeholder="Search chats"
          value={search}
          maxLength={200}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || search === "" || composes(event.nativeEvent)) return;
            // Ends the search, without closing the list or stopping an answer.
            event.preventDefault();
            setSearch("");
          }}
        />
      ) : null}
      {conversations.problem === null ? null : (
        <p className="fine" role="status">
          {conversations.problem}{" "}
          <button type="button" className="quiet small" onClick={conversations.refresh}>
            Try again
          </button>
        </p>
      )}
      {conversations.isKnown && conversations.entries.length === 0 && conversations.problem === null ? (
        <p className="fine">Your chats will be listed here.</p>
      ) : null}
      <p className={search === "" ? "visually-hidden" : "fine"} role="status">
        {search === "" ? "" : foundInWords(found)}
      </p>
      {chatGroups(found.entries, Date.now()).map(({ heading, entries }) => (
        <Fragment key={heading}>
          <h2 className="fine">{heading}</h2>
          <ul>
            {entries.map((entry) => (
              <Entry
                key={entry.id}
                entry={entry}
                isCurrent={entry.id === props.current}
                onOpen={() => props.onOpen(entry.id)}
                onRename={(title) => conversations.rename(entry.id, title)}
                onDownload={(title) => void conversations.download(entry.id, title)}
                onDelete={() =>
                  void conversations.remove(entry.id).then((gone) => gone && props.onDeleted(entry.id))
                }
              />
            ))}
          </ul>
        </Fragment>
      ))}
      {conversations.hasMore ? (
        <button type="button" className="quiet" onClick={conversations.showMore}>
          Show more
        </button>
      ) : null}
    </>
  );
}

function useTitle(title: string | null): void {
  useEffect(() => {
    nameTab(title);
    // After signing out the tab shows no chat's name.
    return () => nameTab(null);
  }, [title]);
}

function foundInWords({ entries, isLooking }: FoundChats): string {
  if (isLooking) return "Looking…";
  if (entries.length === 0) return "No chat has that in its name.";
  return entries.length === 1 ? "1 chat" : `${entries.length} chats`;
}

type Mode = "shown" | "renaming" | "deleting";

function Entry(props: {
  readonly entry: ListedConversation;
  readonly isCurrent: boolean;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => void;
  readonly onDownload: (title: string) => void;
  readonly onDelete: () => void;
}) {
  const [mode, setMode] = useState<Mode>("shown");
  // After a cancelled question the focus returns to its button, not to the top of the page.
  const [left, setLeft] = useState<Mode>("shown");
  const leave = (): void => {
    setLeft(mode);
    setMode("shown");
  };
  const item = useRef<HTMLLIElement>(null);
  // After a deletion the focus moves to the next chat, not to the top of the page.
  useLayoutEffect(() => () => leaveFocus(item.current), []);
  const title = props.entry.title ?? "Untitled chat";
  // With keys, a button of one mode never turns into another's with its focus. Keep gets the focus first: a held Enter must not delete.
  switch (mode) {
    case "renaming":
      return (
        <li ref={item} key={mode} className="entry">
          <Rename
            title={title}
            onDone={(next) => {
              leave();
              if (next !== null) props.onRename(next);
            }}
          />
        </li>
      );
    case "deleting":
      return (
        <li
          ref={item}
          key={mode}
          className="entry asking"
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            // Answers this question, without stopping an answer.
            event.preventDefault();
            leave();
          }}
        >
          <span>Delete “{title}”?</span>
          <span className="row">
            <button type="button" className="alarm small" onClick={props.onDelete}>
              Delete
            </button>
            <button type="button" className="quiet small" autoFocus onClick={leave}>
              Keep
            </button>
          </span>
        </li>
      );
    case "shown":
      return (
        <li ref={item} key={mode} className="entry">
          <button
            type="button"
            className="open"
            dir="auto"
            aria-current={props.isCurrent ? "page" : undefined}
            title={title}
            onClick={props.onOpen}
          >
            {title}
          </button>
          <span className="tools">
            <button
              type="button"
              className="quiet small sign"
              aria-label={`Rename ${title}`}
              title="Rename"
              autoFocus={left === "renaming"}
              onClick={() => setMode("renaming")}
            >
              <Icon d="M4 20l1-4L16.2 4.8a1.7 1.7 0 0 1 2.4 0l.6.6a1.7 1.7 0 0 1 0 2.4L8 19zM14 7l3 3" />
            </button>
            <button
              type="button"
              className="quiet small sign"
              aria-label={`Download ${title}`}
              title="Download as Markdown"
              onClick={() => props.onDownload(title)}
            >
              <Icon d="M12 4v11M7 10.5l5 5 5-5M5 20h14" />
            </button>
            <button
              type="button"
              className="quiet small sign"
              aria-label={`Delete ${title}`}
              title="Delete"
              autoFocus={left === "deleting"}
              onClick={() => setMode("deleting")}
            >
              <Icon d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.3 11v5M13.7 11v5" />
            </button>
          </span>
        </li>
      );
  }
}

/** Before the item is removed: moves the focus from it to its neighbour, or to the button for a new chat. */
function leaveFocus(item: HTMLLIElement | null): void {
  if (item === null || !item.contains(document.activeElement)) return;
  const list = item.closest("nav");
  const items = [...(list?.querySelectorAll(".entry") ?? [])];
  const at = items.indexOf(item);
  const next = items[at + 1] ?? items[at - 1] ?? list;
  next?.querySelector("button")?.focus();
}

/** @param onDone called with `null` if the name stays */
function Rename({
  title,
  onDone,
}: {
  readonly title: string;
  readonly onDone: (title: string | null) => void;
}) {
  const [text, setText] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onDone(text.trim() === "" || text === title ? null : text.trim());
      }}
    >
      <input
        ref={field}
        dir="auto"
        aria-label="Name of the chat"
        value={text}
        maxLength={200}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || composes(event.nativeEvent)) return;
          event.preventDefault();
          onDone(null);
        }}
      />
      <button type="submit" className="small">
        Save
      </button>
    </form>
  );
}
