/** The routes of files and vector stores. Their code is evaluated when one of them is first asked: a chat needs none of it. */
import type { Hono } from "hono";
import { type TenantHandler, tenantRoute } from "./handle.ts";

type Handlers<Module> = {
  [Name in keyof Module]: Module[Name] extends TenantHandler ? Name : never;
}[keyof Module];

function lazily<Module extends object>(load: () => Promise<Module>) {
  return (name: Handlers<Module>): TenantHandler =>
    async (call) => {
      const handler = (await load())[name] as TenantHandler;
      return handler(call);
    };
}

export function addKnowledgeRoutes(app: Hono<{ Bindings: Cloudflare.Env }>): void {
  const files = lazily(() => import("./routes/files.ts"));
  const stores = lazily(() => import("./routes/vector-stores.ts"));
  const storeFiles = lazily(() => import("./routes/vector-store-files.ts"));
  const on = (method: "GET" | "POST" | "DELETE", path: string, handler: TenantHandler): void => {
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ":$1"), tenantRoute(path, handler));
  };
  on("POST", "/v1/files", files("createFile"));
  on("GET", "/v1/files", files("listFiles"));
  on("GET", "/v1/files/{id}", files("showFile"));
  on("GET", "/v1/files/{id}/content", files("showFileContent"));
  on("DELETE", "/v1/files/{id}", files("deleteFile"));
  on("POST", "/v1/vector_stores", stores("createVectorStore"));
  on("GET", "/v1/vector_stores", stores("listVectorStores"));
  const store = "/v1/vector_stores/{id}";
  on("GET", store, stores("showVectorStore"));
  on("POST", store, stores("updateVectorStore"));
  on("DELETE", store, stores("deleteVectorStore"));
  on("POST", `${store}/search`, stores("searchVectorStore"));
  on("POST", `${store}/files`, storeFiles("attachFile"));
  on("GET", `${store}/files`, storeFiles("listStoreFiles"));
  const file = `${store}/files/{file_id}`;
  on("GET", file, storeFiles("showStoreFile"));
  on("POST", file, storeFiles("updateStoreFile"));
  on("DELETE", file, storeFiles("detachFile"));
  on("GET", `${file}/content`, storeFiles("showStoreFileText"));
  on("POST", `${store}/file_batches`, storeFiles("createFileBatch"));
  const batch = `${store}/file_batches/{batch_id}`;
  on("GET", batch, storeFiles("showFileBatch"));
  on("POST", `${batch}/cancel`, storeFiles("cancelFileBatch"));
  on("GET", `${batch}/files`, storeFiles("listBatchFiles"));
}
