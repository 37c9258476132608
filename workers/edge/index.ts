/** The public Worker: its routes, and the classes of its objects. */
import { createApp } from "./app.ts";

export { Conversation } from "../../durable-objects/conversation/conversation.ts";
export { Generation } from "../../durable-objects/generation/generation.ts";
export { TokenBucket } from "../../durable-objects/token-bucket/token-bucket.ts";

const app = createApp();

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
} satisfies ExportedHandler<Cloudflare.Env>;
