/**
 * Which of OpenAI's routes are not offered here, and what is used in place of each? An unknown path that begins with one of them is told so;
 * docs/api-fields.md shows the same table, and a test holds it against OpenAI's published description.
 */
const administration = "the /admin routes, and /v1/usage for your own limits";

/** By the beginning of the path behind `/v1/`: what to use, as the end of a sentence. */
export const routesNotOffered: Readonly<Record<string, string>> = {
  assistants: "'instructions' and 'tools' in each request to /v1/responses",
  audio: "a speech service; a chat takes sound as 'input_audio' where its model hears",
  chatkit: "the chat page at /, or a page of yours over /v1/responses",
  containers: "function tools whose code you run",
  content_provenance_checks: "a service of your own",
  evals: "/v1/batches for the answers, and a judge of your own",
  fine_tuning: "a model that you trained, served by one of the fleet's engines",
  images: "an image service; a chat takes pictures as 'image_url' where its model sees",
  organization: administration,
  projects: administration,
  realtime: "a WebSocket to /v1/responses, for text",
  "responses/compact": "a conversation (/v1/conversations), which is trimmed to the model's window",
  skills: "'instructions' and function tools",
  threads: "conversations (/v1/conversations) with /v1/responses",
  videos: "a video service",
};

/** @param path with `/v1` in front. `undefined`: it is none of them. */
export function insteadOf(path: string): string | undefined {
  const [, , first = "", second = ""] = path.split("/");
  for (const name of [first, `${first}/${second}`])
    if (Object.hasOwn(routesNotOffered, name)) return routesNotOffered[name];
  return undefined;
}
