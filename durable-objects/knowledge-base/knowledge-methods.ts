import type {
  AttachFiles,
  AttachFilesOutcome,
  BatchOutcome,
  CreateStoreObject,
  DeleteStoreObjectOutcome,
  DescribeStore,
  DetachFileOutcome,
  ListStoreFiles,
  ListStoreFilesOutcome,
  NameBatch,
  NameStoreFile,
  SearchStore,
  SearchStoreOutcome,
  StoreFileOutcome,
  StoreOutcome,
  UpdateStore,
  UpdateStoreFile,
  UpdateStoreOutcome,
} from "../../src/shared/contracts/knowledge-base.ts";

/** What a KnowledgeBase object is asked. */
export interface KnowledgeBaseMethods {
  create(message: CreateStoreObject): Promise<StoreOutcome>;
  describe(message: DescribeStore): StoreOutcome;
  update(message: UpdateStore): Promise<UpdateStoreOutcome>;
  delete(message: DescribeStore): Promise<DeleteStoreObjectOutcome>;
  attach(message: AttachFiles): Promise<AttachFilesOutcome>;
  getFile(message: NameStoreFile): StoreFileOutcome;
  listFiles(message: ListStoreFiles): ListStoreFilesOutcome;
  updateFile(message: UpdateStoreFile): StoreFileOutcome;
  detachFile(message: NameStoreFile): Promise<DetachFileOutcome>;
  forgetFile(message: NameStoreFile): Promise<DetachFileOutcome>;
  getBatch(message: NameBatch): BatchOutcome;
  cancelBatch(message: NameBatch): Promise<BatchOutcome>;
  search(message: SearchStore): Promise<SearchStoreOutcome>;
}

export type KnowledgeBaseObject = Rpc.DurableObjectBranded & KnowledgeBaseMethods;
export type KnowledgeBaseClass<Env> = new (context: DurableObjectState, env: Env) => KnowledgeBaseObject;
