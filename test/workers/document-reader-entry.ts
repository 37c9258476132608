import { WorkerEntrypoint } from "cloudflare:workers";
import { answerDocument } from "../../workers/document-reader/index.ts";

/** The reader of documents, behind a binding of the Worker under test to itself. */
export class DocumentReader extends WorkerEntrypoint {
  override fetch(request: Request): Promise<Response> {
    return answerDocument(request);
  }
}
