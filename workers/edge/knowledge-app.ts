/** The routes of files, uploads and vector stores. */
import type { HonoBase as Hono } from "hono/hono-base";
import { type TenantHandler, tenantRoute } from "./handle.ts";
import * as files from "./routes/files.ts";
import * as storeFiles from "./routes/vector-store-files.ts";
import * as uploads from "./routes/uploads.ts";
import * as stores from "./routes/vector-stores.ts";

export function addKnowledgeRoutes(app: Hono<{ Bindings: Cloudflare.Env }>): void {
  const on = (method: "GET" | "POST" | "DELETE", path: string, handler: TenantHandler): void => {
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ":$1"), tenantRoute(path, handler));
  };
  on("POST", "/v1/files", files.createFile);
  on("GET", "/v1/files", files.listFiles);
  on("GET", "/v1/files/{id}", files.showFile);
  on("GET", "/v1/files/{id}/content", files.showFileContent);
  on("DELETE", "/v1/files/{id}", files.deleteFile);
  on("POST", "/v1/uploads", uploads.createUpload);
  on("POST", "/v1/uploads/{id}/parts", uploads.addUploadPart);
  on("POST", "/v1/uploads/{id}/complete", uploads.completeUpload);
  on("POST", "/v1/uploads/{id}/cancel", uploads.cancelUpload);
  on("POST", "/v1/vector_stores", stores.createVectorStore);
  on("GET", "/v1/vector_stores", stores.listVectorStores);
  const store = "/v1/vector_stores/{id}";
  on("GET", store, stores.showVectorStore);
  on("POST", store, stores.updateVectorStore);
  on("DELETE", store, stores.deleteVectorStore);
  app.post(
    "/v1/vector_stores/:id/search",
    tenantRoute(`${store}/search`, stores.searchVectorStore, "admission"),
  );
  on("POST", `${store}/files`, storeFiles.attachFile);
  on("GET", `${store}/files`, storeFiles.listStoreFiles);
  const file = `${store}/files/{file_id}`;
  on("GET", file, storeFiles.showStoreFile);
  on("POST", file, storeFiles.updateStoreFile);
  on("DELETE", file, storeFiles.detachFile);
  on("GET", `${file}/content`, storeFiles.showStoreFileText);
  on("POST", `${store}/file_batches`, storeFiles.createFileBatch);
  const batch = `${store}/file_batches/{batch_id}`;
  on("GET", batch, storeFiles.showFileBatch);
  on("POST", `${batch}/cancel`, storeFiles.cancelFileBatch);
  on("GET", `${batch}/files`, storeFiles.listBatchFiles);
}
