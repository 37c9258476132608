/** Buttons for messages of this conversation that are not on the page: earlier ones above, later ones below. */
import type { ReactNode, RefObject } from "react";
import { flushSync } from "react-dom";
import { keyOf, type ChatMessage } from "./chat-state.ts";
import { mostMounted, type Last, type Mounted, type Places } from "./use-mounted.ts";

/** How many are added and removed at a time. */
const step = 100;

/** Moves up. If the first message is already there, makes room for those loaded before it. */
export function earlier(messages: readonly ChatMessage[], { from, to }: Places): Last {
  return endingAt(messages, from > 0 ? Math.max(to - step, mostMounted) : Math.min(to, mostMounted - step));
}

export function later(messages: readonly ChatMessage[], { to }: Places): Last {
  return endingAt(messages, to + step);
}

function endingAt(messages: readonly ChatMessage[], to: number): Last {
  const last = messages[to - 1];
  return to >= messages.length || last === undefined ? null : keyOf(last);
}

interface Place {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly messages: readonly ChatMessage[];
  readonly mounted: Mounted;
}

export function EarlierMessages(
  props: Place & {
    /** Whether there are more messages than the loaded ones. */
    readonly hasMore: boolean;
    readonly busy: boolean;
    readonly onLoad: () => void;
  },
): ReactNode {
  const { messages, mounted, hasMore } = props;
  const isFirst = mounted.from === 0;
  if (isFirst && !hasMore) return null;
  return (
    <p className="center">
      <button
        type="button"
        className="quiet"
        // Loaded messages need no server.
        disabled={props.busy && isFirst}
        onClick={() => {
          move(props, earlier(messages, mounted), "first");
          if (isFirst) props.onLoad();
        }}
      >
        Show earlier messages
      </button>
    </p>
  );
}

export function LaterMessages(props: Place): ReactNode {
  const { scroller, messages, mounted } = props;
  if (mounted.to === messages.length) return null;
  return (
    <p className="center">
      <button type="button" className="quiet" onClick={() => move(props, later(messages, mounted), "last")}>
        Show later messages
      </button>
      <button
        type="button"
        className="quiet"
        onClick={() => {
          flushSync(() => mounted.moveTo(null));
          const element = scroller.current;
          if (element !== null) element.scrollTop = element.scrollHeight;
        }}
      >
        Go to the latest
      </button>
    </p>
  );
}

/** Keeps the visible messages in place while others above them are added and removed. */
function move({ scroller, mounted }: Place, to: Last, end: "first" | "last"): void {
  const element = scroller.current;
  const all = element?.querySelectorAll("article");
  const stays = all?.[end === "first" ? 0 : all.length - 1];
  const beforePx = stays?.getBoundingClientRect().top ?? 0;
  flushSync(() => mounted.moveTo(to));
  if (element !== null && stays?.isConnected === true)
    element.scrollTop += stays.getBoundingClientRect().top - beforePx;
}
