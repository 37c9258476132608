/**
 * The files inside a request, read before its turn is admitted: their text is screened, counted and looked up in the cache like the rest of
 * the prompt. So no files are read for a caller whose limits are used up, and a request that leads to no turn counts as one
 * (judged-request.ts).
 */
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import {
  type AttachedFile,
  readAttached,
  type ReadTexts,
  type UploadedFile,
} from "../../src/shared/attachments/read-attached.ts";
import { withFileTexts } from "../../src/shared/attachments/chat-files.ts";
import type { RequestId } from "../../src/shared/contracts/ids.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { BoundedMap } from "../../src/shared/isolate/bounded-map.ts";
import type { FileText } from "../../src/shared/prompt/file-part.ts";
import { resolveKnowledge } from "../../src/shared/retrieval/knowledge-ref.ts";
import type { ChatMessage } from "../../src/shared/wire/chat-messages.ts";
import { askLibrary, openFile } from "./ask-knowledge.ts";
import { admissionFor, backgroundOf, mayChatForFree, refusedBeforeAdmission } from "./before-admission.ts";
import { documentReader } from "./document-reader.ts";
import type { TurnContext } from "./start-turn.ts";

/** Half of the texts that an isolate remembers, in UTF-16 units. */
const rememberedUnits = 2_000_000;

const remembered = new BoundedMap<string, ReadTexts>({
  maxEntries: 512,
  maxWeight: rememberedUnits,
  weigh: (key, read) =>
    key.length + (read.ok ? read.value.texts.reduce((sum, { length }) => sum + length, 0) : 0),
});

/** Their texts, in order. Without files, nothing else is called. */
export async function readAttachedFiles(
  from: TurnContext,
  files: readonly AttachedFile[],
): Promise<Result<readonly FileText[], Refusal>> {
  if (files.length === 0) return ok([]);
  const { isolate, tenant, judged } = from;
  const caller = { ...from, requestId: from.requestId as RequestId };
  const least = { tokens: 1, mayBeFree: () => mayChatForFree(isolate, backgroundOf(from)) };
  const refused = await refusedBeforeAdmission(isolate, caller, least, () => admissionFor(from));
  if (refused !== null) return err(refused);
  judged.asked();
  const read = await readAttached(files, {
    uploaded: (id) => uploadedFile(from, id),
    documents: (deadlineMs) => documentReader(isolate.env, deadlineMs),
    now: isolate.now,
    remembered,
    tenant: tenant.id,
  });
  if (!read.ok && read.error.kind !== "dependency-unavailable") judged.inVain();
  return read;
}

/** The messages with their files' texts; the same object where there are no files. */
export async function messagesWithFiles(
  from: TurnContext,
  messages: readonly ChatMessage[],
  files: readonly AttachedFile[],
): Promise<Result<readonly ChatMessage[], Refusal>> {
  if (files.length === 0) return ok(messages);
  const texts = await readAttachedFiles(from, files);
  return texts.ok ? ok(withFileTexts(messages, texts.value)) : texts;
}

async function uploadedFile(
  { isolate, principal, tenant }: TurnContext,
  id: string,
): Promise<Result<UploadedFile, Refusal>> {
  const caller = { tenant: tenant.id, user: principal.user };
  const ref = await resolveKnowledge(isolate.hash, id, "file", caller);
  if (ref === null) return err({ kind: "object-unknown" });
  const found = await askLibrary(isolate.env, ref, async (stub, message) =>
    stub.getFile({ ...message, fileId: id }),
  );
  if (!found.ok) return found;
  const { filename, mediaType, bytes, storedIn } = found.value.file;
  const { owner, jurisdiction } = ref;
  const open = () =>
    openFile(() => fileContents(isolate.env).open({ owner, jurisdiction, fileId: id }, storedIn));
  return ok({ filename, mediaType, bytes, open });
}
