/** Which items of calls that Edgewise made itself may a response's input contain? Those of our own answers, sent back. */
import * as z from "zod";
import type { McpCall, WebSearchCall } from "../responses/item.ts";
import { serverCallEndOf } from "../responses/server-items.ts";
import { callArguments } from "./chat-messages.ts";
import { requestLimits } from "./request-limits.ts";
import { opaqueId, text, toolName, withoutEffect } from "./schema-parts.ts";

/** How our response reported a call that Edgewise made itself: sent back, it is part of the history. */
export const mcpCall = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("mcp_call"),
      id: opaqueId.nullish(),
      server_label: z.string().max(requestLimits.idCharacters),
      name: toolName,
      arguments: callArguments,
      output: text().nullish(),
      error: z.unknown().optional(),
      status: withoutEffect(z.string().max(requestLimits.idCharacters).nullish()),
      approval_request_id: withoutEffect(opaqueId.nullish()),
    })
    .transform(({ type, id, server_label, name, arguments: given, output, error }): McpCall => ({
      type,
      ...(id === undefined || id === null ? {} : { id }),
      server_label,
      name,
      arguments: given,
      output: output ?? null,
      error: errorOf(error),
    })),
);

export const webSearchCall = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("web_search_call"),
      id: withoutEffect(opaqueId.nullish()),
      status: withoutEffect(z.string().max(requestLimits.idCharacters).nullish()),
      action: withoutEffect(z.unknown().optional()),
    })
    .transform(({ type }): WebSearchCall => ({ type })),
);

/** Only the part that the model sees. */
function errorOf(error: unknown): string | null {
  return (
    serverCallEndOf({ status: "failed", error })?.error?.slice(0, requestLimits.descriptionCharacters) ?? null
  );
}
