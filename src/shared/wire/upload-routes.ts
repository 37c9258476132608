/** The `/v1/uploads` part of the route table (routes.ts). */
import { everyBody, everyCall, type PublicRoute } from "./public-route.ts";

const uploadId = { id: "The upload's id." };

export const uploadRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/v1/uploads",
    tag: "Knowledge",
    summary: "Begin to upload a file in parts",
    description:
      "Announces a file; its bytes come in parts, several at once if you like, and become a file when the upload is completed. It is open for an " +
      "hour: then its parts are erased. `?visibility=tenant` (scope `tenant:admin`) makes the file the whole tenant's.",
    scopes: [],
    queryParameters: { visibility: "`tenant`: for all users of the tenant." },
    request: {
      schema: "UploadCreation",
      example: {
        filename: "handbook.pdf",
        purpose: "assistants",
        bytes: 8_388_608,
        mime_type: "application/pdf",
      },
    },
    success: { description: "The upload, `pending`", content: { "application/json": "Upload" } },
    errors: [409, ...everyBody],
  },
  {
    method: "POST",
    path: "/v1/uploads/{id}/parts",
    tag: "Knowledge",
    summary: "Add a part to an upload",
    description:
      "At most 67,108,864 bytes (64 MiB), of any size beside that; an upload has 1,000 parts at most. Its bytes count against your limits from now on.",
    scopes: [],
    pathParameters: uploadId,
    request: {
      schema: "UploadPartForm",
      mediaType: "multipart/form-data",
      example: { data: "# Opening hours …" },
    },
    success: { description: "The part", content: { "application/json": "UploadPart" } },
    errors: [400, 404, 409, 413, 415, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/uploads/{id}/complete",
    tag: "Knowledge",
    summary: "Make a file of an upload's parts",
    description:
      "In the order of `part_ids`, once: asked for again in the same way, it is answered with the same file. They must have as many bytes " +
      "together as were announced.",
    scopes: [],
    pathParameters: uploadId,
    request: { schema: "UploadCompletion", example: { part_ids: ["part_…"] } },
    success: { description: "The upload, with its `file`", content: { "application/json": "Upload" } },
    errors: [404, 409, ...everyBody],
  },
  {
    method: "POST",
    path: "/v1/uploads/{id}/cancel",
    tag: "Knowledge",
    summary: "Cancel an upload",
    description: "Its parts are erased. Cancelling it again changes nothing.",
    scopes: [],
    pathParameters: uploadId,
    success: { description: "The upload, `cancelled`", content: { "application/json": "Upload" } },
    errors: [404, 409, ...everyCall],
  },
];
