declare namespace Cloudflare {
  interface Env {
    SCRIPTED_GENERATION: DurableObjectNamespace<
      import("../../durable-objects/generation/generation.ts").GenerationObject
    >;
    SCRIPTED_BATCH: DurableObjectNamespace<import("../../durable-objects/batch/batch.ts").BatchObject>;
  }
  interface Env {
    GATED_KNOWLEDGE: DurableObjectNamespace<
      import("../../durable-objects/knowledge-base/knowledge-methods.ts").KnowledgeBaseObject
    >;
  }
  interface GlobalProps {
    mainModule: typeof import("./entry.ts");
  }
}
