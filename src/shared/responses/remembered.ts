/** How much of the conversation before a response is stored with it, and how large is that? */
import { fileUnits } from "../prompt/file-part.ts";
import { flatName } from "./function-names.ts";
import type { InputImage, Item } from "./item.ts";

/** What a context holds of items. */
interface ItemsSize {
  /** UTF-16 units of what the model reads. An image counts as its tokens would, however large its file is. */
  readonly read: number;
  /** UTF-16 units that memory holds. */
  readonly held: number;
}

/** A token of text is seldom longer; counted low on purpose, so that compose never lacks what would have fitted. */
const unitsPerToken = 8;
/** As the estimate of a prompt has it (prompt/token-estimate.ts). */
const imageUnits = 1_600 * unitsPerToken;

export const rememberedLimits = {
  /** An object each: a Worker may ask only so many. */
  responses: 256,
  /** Of what may be left out where it is too long (`truncation`): no more is looked at. */
  cutUnits: 131_072 * unitsPerToken,
  /** Of what may not: compose finds out whether it fits the window of the model that answers. */
  wholeUnits: 4_000_000,
  /** Images are files; an isolate has 128 MB for all of its turns. As of a conversation (turn/durable/history-window.ts). */
  heldUnits: 8_000_000,
} as const;

export function sizeOf(items: readonly Item[]): ItemsSize {
  let read = 0;
  let images = 0;
  let files = 0;
  const seen = ({ image_url: url }: InputImage): void => {
    images += 1;
    files += url.length;
  };
  for (const item of items) {
    switch (item.type) {
      case "message":
        for (const part of item.content)
          if (part.type === "input_image") seen(part);
          else if (part.type === "input_file") {
            read += fileUnits(part);
            files += part.file_data?.length ?? 0;
          } else if (part.type === "sent_file") throw new Error("a file that was sent was not read");
          else read += part.type === "refusal" ? part.refusal.length : part.text.length;
        break;
      case "function_call":
        read += flatName(item).length + item.arguments.length;
        break;
      case "mcp_call":
        read += item.name.length + item.arguments.length + (item.output?.length ?? 0);
        break;
      case "web_search_call":
        break;
      case "function_call_output":
        if (typeof item.output === "string") read += item.output.length;
        else
          for (const part of item.output)
            if (part.type === "input_image") seen(part);
            else read += part.text.length;
        break;
      case "file_search_call":
        break;
      case "reasoning":
        read += item.content.reduce((sum, part) => sum + part.text.length, 0);
    }
  }
  return { read: read + images * imageUnits, held: read + files };
}

/** The latest of them, as many as are remembered where the oldest may be left out. */
export function latestOf(items: readonly Item[]): readonly Item[] {
  let read = 0;
  let held = 0;
  for (let from = items.length - 1; from >= 0; from -= 1) {
    const size = sizeOf(items.slice(from, from + 1));
    read += size.read;
    held += size.held;
    if (read > rememberedLimits.cutUnits || held > rememberedLimits.heldUnits) return items.slice(from + 1);
  }
  return items;
}
