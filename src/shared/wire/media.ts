/**
 * May the engine read these images and sounds? It would fetch any URL from inside the GPU network, so only `data:` URLs
 * and hosts that the tenant allows pass.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatRequest } from "./chat-request.ts";
import { invalidValue } from "./zod-refusal.ts";

/** The tenant's `media` field. */
export interface MediaPolicy {
  readonly allow_hosts: readonly string[];
  readonly max_bytes: number;
}

/** Accepted types, each with the beginning of its bytes in base64, so that no other decoder is ever used. */
const imageTypes: ReadonlyMap<string, readonly string[]> = new Map([
  ["image/png", ["iVBORw0KGgo"]],
  ["image/jpeg", ["/9j/"]],
  // Not a registered type, but many programs derive it from a file's name.
  ["image/jpg", ["/9j/"]],
  ["image/gif", ["R0lGOD"]],
  ["image/webp", ["UklGR"]],
]);
const soundStarts = {
  wav: ["UklGR"],
  // An ID3 tag, or the sync word of a frame (11 bits set).
  mp3: ["SUQz", "//", "/+"],
} as const;

export function checkMedia(
  request: Pick<ChatRequest, "messages">,
  policy: MediaPolicy,
): Result<void, Refusal> {
  for (const [at, message] of request.messages.entries()) {
    if ((message.role !== "user" && message.role !== "tool") || typeof message.content === "string") continue;
    for (const [partAt, part] of message.content.entries()) {
      if (part.type !== "image_url" && part.type !== "input_audio") continue;
      const place = `messages[${at}].content[${partAt}]`;
      const fault =
        part.type === "image_url"
          ? imageFault(part.image_url.url, policy)
          : base64Fault(part.input_audio.data, 0, soundStarts[part.input_audio.format], policy.max_bytes);
      if (fault !== null)
        return err(
          invalidValue(
            part.type === "image_url" ? `${place}.image_url.url` : `${place}.input_audio.data`,
            fault,
          ),
        );
    }
  }
  return ok(undefined);
}

function imageFault(url: string, policy: MediaPolicy): string | null {
  if (url.slice(0, 5).toLowerCase() === "data:") return dataUrlFault(url, policy.max_bytes);
  // `new URL` silently repairs blanks, backslashes and other scripts' dots; the engine's parser may read them differently.
  if (!/^https:\/\/[a-z0-9.-]+(?:\/[\x21\x23-\x5b\x5d-\x7e]*)?$/i.test(url) || !URL.canParse(url))
    return "must be a data: URL with base64, or an https: URL of an allowed host";
  const { hostname } = new URL(url);
  return policy.allow_hosts.includes(hostname)
    ? null
    : "is on a host that is not allowed: send the image as a data: URL, or have the tenant allow the host";
}

function dataUrlFault(url: string, maxBytes: number): string | null {
  const comma = url.indexOf(",");
  // The type ends early or not at all: never search megabytes for its end.
  const header = comma > 0 && comma <= 64 ? url.slice(5, comma).toLowerCase() : "";
  const starts = header.endsWith(";base64") ? imageTypes.get(header.slice(0, -";base64".length)) : undefined;
  if (starts === undefined)
    return `must be a data: URL with base64 and one of ${[...imageTypes.keys()].join(", ")}`;
  return base64Fault(url, comma + 1, starts, maxBytes);
}

function base64Fault(
  data: string,
  start: number,
  starts: readonly string[],
  maxBytes: number,
): string | null {
  const length = data.length - start;
  // The decoded size without decoding: three bytes for four characters.
  if (Math.floor((length * 3) / 4) > maxBytes + 2) return `is over the limit of ${maxBytes} bytes`;
  if (!starts.some((one) => data.startsWith(one, start)))
    return "does not hold data of the type that it names";
  const payload = start === 0 ? data : data.slice(start);
  // Searches for the first invalid character: linear, without the backtracking of a pattern for the whole.
  const foreign = payload.search(/[^A-Za-z0-9+/]/);
  const padding = foreign === -1 ? "" : payload.slice(foreign, foreign + 3);
  const wellEnded = foreign === -1 || padding === "=" || padding === "==";
  return wellEnded && payload.length % 4 === 0 ? null : "is not valid base64";
}
