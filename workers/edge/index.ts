/** The public Worker: its routes, and the classes of its objects. */
import { createGenerationClass } from "../../durable-objects/generation/generation.ts";
import { createApp } from "./app.ts";

export { Conversation } from "../../durable-objects/conversation/conversation.ts";
export { TokenBucket } from "../../durable-objects/token-bucket/token-bucket.ts";

/** Refuses to run until the pipeline is mounted here. */
export const Generation = createGenerationClass(() => {
  throw new Error("no pipeline is mounted");
});

const app = createApp();

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
} satisfies ExportedHandler<Cloudflare.Env>;
