declare namespace Cloudflare {
  interface Env {
    SCRIPTED_GENERATION: DurableObjectNamespace<
      import("../../durable-objects/generation/generation.ts").GenerationObject
    >;
  }
  interface GlobalProps {
    mainModule: typeof import("./entry.ts");
  }
}
