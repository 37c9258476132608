/** The entry of the Worker under test: the edge Worker as it ships, with every object class. */
export {
  AuditLog,
  Batch,
  CompletionIndex,
  Conversation,
  ConversationIndex,
  Generation,
  KnowledgeBase,
  Library,
  MetricsHub,
  NonceLedger,
  OriginPool,
  RegionalStock,
  SemanticIndex,
  Session,
  TokenBucket,
  UsageBook,
} from "../../workers/edge/index.ts";
export { default } from "../../workers/edge/index.ts";
export { ScriptedGeneration } from "./scripted-generation.ts";
export { ScriptedBatch } from "./scripted-batch.ts";
export { GatedKnowledge } from "./gated-knowledge.ts";
export { DocumentReader } from "./document-reader-entry.ts";
export { Vectors } from "./vectors-entry.ts";
