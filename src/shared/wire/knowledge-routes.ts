/** Files, uploads and vector stores in the route table (routes.ts): their routes, and the schemas that these name. */
import { fileRoutes } from "./file-routes.ts";
import {
  fileListSchema,
  fileSchema,
  fileUploadSchema,
  uploadPartSchema,
  uploadSchema,
  vectorStoreBatchSchema,
  vectorStoreContentSchema,
  vectorStoreFileListSchema,
  vectorStoreFileSchema,
  vectorStoreListSchema,
  vectorStoreResultsSchema,
  vectorStoreSchema,
} from "./knowledge-responses.ts";
import {
  uploadCompletionSchema,
  uploadCreationSchema,
  uploadPartFormSchema,
} from "./parted-upload-request.ts";
import type { PublicRoute } from "./public-route.ts";
import { uploadRoutes } from "./upload-routes.ts";
import {
  vectorStoreBatchCreationSchema,
  vectorStoreCreationSchema,
  vectorStoreFileCreationSchema,
  vectorStoreFileUpdateSchema,
  vectorStoreSearchSchema,
  vectorStoreUpdateSchema,
} from "./vector-store-request.ts";
import { vectorStoreRoutes } from "./vector-store-routes.ts";

export const knowledgeSchemas = {
  FileUpload: fileUploadSchema,
  File: fileSchema,
  FileList: fileListSchema,
  UploadCreation: uploadCreationSchema,
  UploadPartForm: uploadPartFormSchema,
  UploadCompletion: uploadCompletionSchema,
  Upload: uploadSchema,
  UploadPart: uploadPartSchema,
  VectorStoreCreation: vectorStoreCreationSchema,
  VectorStoreUpdate: vectorStoreUpdateSchema,
  VectorStore: vectorStoreSchema,
  VectorStoreList: vectorStoreListSchema,
  VectorStoreFileCreation: vectorStoreFileCreationSchema,
  VectorStoreFileUpdate: vectorStoreFileUpdateSchema,
  VectorStoreFile: vectorStoreFileSchema,
  VectorStoreFileList: vectorStoreFileListSchema,
  VectorStoreFileContent: vectorStoreContentSchema,
  VectorStoreBatchCreation: vectorStoreBatchCreationSchema,
  VectorStoreBatch: vectorStoreBatchSchema,
  VectorStoreSearch: vectorStoreSearchSchema,
  VectorStoreResults: vectorStoreResultsSchema,
};

export const knowledgeRoutes: readonly PublicRoute[] = [...fileRoutes, ...uploadRoutes, ...vectorStoreRoutes];
