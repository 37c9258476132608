/** The `/v1/files` part of the route table (routes.ts). */
import { pages, visibility } from "./knowledge-route-parts.ts";
import { everyCall, type PublicRoute } from "./public-route.ts";

const fileId = { id: "The file's id." };

export const fileRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/v1/files",
    tag: "Knowledge",
    summary: "Upload a file",
    description:
      "To be put into vector stores, named in a message of a chat or a response (`file_id`), or, with the purpose `batch`, answered line by line (`POST /v1/batches`). `?visibility=tenant` (scope `tenant:admin`) makes it the whole tenant's. What can be searched: text, " +
      "Markdown, HTML, JSON, CSV and source code, and (where the service has a reader of documents) PDF, DOCX, PPTX and XLSX; any other " +
      "file is kept, and fails in a vector store by `unsupported_file`.",
    scopes: [],
    queryParameters: { visibility: "`tenant`: for all users of the tenant." },
    request: {
      schema: "FileUpload",
      mediaType: "multipart/form-data",
      example: { file: "# Opening hours …", purpose: "assistants" },
    },
    success: { description: "The file", content: { "application/json": "File" } },
    errors: [400, 409, 413, 415, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/files",
    tag: "Knowledge",
    summary: "List your files",
    scopes: [],
    queryParameters: {
      ...pages,
      limit: "1 to 10,000; 10,000 by default.",
      purpose: "`assistants`, `user_data`, `batch` or `batch_output`: those alone.",
      visibility,
    },
    success: { description: "A page of them", content: { "application/json": "FileList" } },
    errors: [400, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/files/{id}",
    tag: "Knowledge",
    summary: "Get a file",
    scopes: [],
    pathParameters: fileId,
    success: { description: "The file", content: { "application/json": "File" } },
    errors: [404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/files/{id}/content",
    tag: "Knowledge",
    summary: "Download a file",
    scopes: [],
    pathParameters: fileId,
    success: { description: "As they were uploaded", content: { "application/octet-stream": null } },
    errors: [404, ...everyCall],
  },
  {
    method: "DELETE",
    path: "/v1/files/{id}",
    tag: "Knowledge",
    summary: "Delete a file, here and in every vector store",
    scopes: [],
    pathParameters: fileId,
    success: { description: "Erased", content: { "application/json": "Deletion" } },
    errors: [404, ...everyCall],
  },
];
