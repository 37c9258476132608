export { Conversation } from "../../durable-objects/conversation/conversation.ts";
export { Generation } from "../../durable-objects/generation/generation.ts";
export { TokenBucket } from "../../durable-objects/token-bucket/token-bucket.ts";

export default {
  fetch(): Response {
    return new Response("edgewise");
  },
} satisfies ExportedHandler<Cloudflare.Env>;
