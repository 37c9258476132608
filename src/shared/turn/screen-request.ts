/** Screens what a client sent, before anything else sees it: after masking, only the masked text is used. */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { screenWith } from "../safety/definition-texts.ts";
import { screenPrompt, type ScreenDeps, type ScreenedPrompt } from "../safety/screen-prompt.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { ChatRequest } from "../wire/chat-request.ts";
import type { CompletionRequest } from "../wire/completions-request.ts";
import type { EmbeddingRequest } from "../wire/embeddings-request.ts";
import { isInProcess, type ModerationRequest } from "../wire/moderations-request.ts";
import { invalidValue } from "../wire/zod-refusal.ts";

export interface Screened<Request> {
  readonly request: Request;
  /** What was found, for the log: kinds and how often, never the text. */
  readonly findings: string | null;
}

type ScreenResult<Request> = Result<Screened<Request>, Refusal>;

export async function screenChat(
  request: ChatRequest,
  tenant: TenantConfig,
  deps: ScreenDeps,
): Promise<ScreenResult<ChatRequest>> {
  const described = descriptionsOf(request);
  const screening = screenWith(request.messages, described, tenant.safety, deps);
  const screened = screening instanceof Promise ? await screening : screening;
  if (screened.kind === "refused")
    return err(refusalAt(screened, (at) => (at === null ? "messages" : `messages[${at}].content`)));
  const { messages, definitions } = screened;
  const same = messages === request.messages && definitions === described;
  return ok({
    request: same ? request : { ...request, messages, ...definitions },
    findings: summary(screened.findings, screened.harm),
  });
}

/** What a template may print beside the messages. A regular expression and a grammar steer the choice of tokens and are never shown. */
function descriptionsOf({ tools, response_format, structured_outputs }: ChatRequest) {
  const isShown = structured_outputs?.regex === undefined && structured_outputs?.grammar === undefined;
  return {
    ...(tools !== undefined && { tools }),
    ...(response_format !== undefined && { response_format }),
    ...(structured_outputs !== undefined && isShown && { structured_outputs }),
  };
}

/** A plain prompt is screened as what a user said. */
export async function screenCompletion(
  request: CompletionRequest,
  tenant: TenantConfig,
  deps: ScreenDeps,
): Promise<ScreenResult<CompletionRequest>> {
  const prompts = typeof request.prompt === "string" ? [request.prompt] : request.prompt;
  const said = prompts.map((content) => ({ role: "user" as const, content }));
  const screened = await screenPrompt(said, tenant.safety, deps);
  if (screened.kind === "refused")
    return err(
      refusalAt(screened, (at) =>
        typeof request.prompt === "string" || at === null ? "prompt" : `prompt[${at}]`,
      ),
    );
  const texts = screened.messages.map((message) => message.content);
  const prompt = typeof request.prompt === "string" ? (texts[0] ?? "") : texts;
  return ok({ request: { ...request, prompt }, findings: summary(screened.findings, screened.harm) });
}

/**
 * Texts that a model reads but neither obeys nor repeats: inputs of embeddings, and texts for a guard model. Only patterns
 * are looked for in them.
 */
async function screenTexts(
  texts: readonly string[],
  tenant: TenantConfig,
  deps: ScreenDeps,
): Promise<Result<{ readonly texts: readonly string[]; readonly findings: string | null }, Refusal>> {
  const { moderation: _, injection, ...safety } = tenant.safety;
  const patterns = { ...safety, injection: { ...injection, user: "off", data: "off" } } as const;
  const said = texts.map((content) => ({ role: "user" as const, content }));
  const screened = await screenPrompt(said, patterns, deps);
  if (screened.kind === "refused") return err(refusalAt(screened, () => "input"));
  return ok({
    texts: screened.messages.map(({ content }) => content),
    findings: summary(screened.findings),
  });
}

/** The texts of an input for embeddings; token ids are not screened. */
export async function screenEmbedding(
  request: EmbeddingRequest,
  tenant: TenantConfig,
  deps: ScreenDeps,
): Promise<ScreenResult<EmbeddingRequest>> {
  const { input } = request;
  const inputs = typeof input === "string" ? [input] : input;
  const texts = inputs.filter((one) => typeof one === "string");
  if (texts.length === 0) return ok({ request, findings: null });
  const screened = await screenTexts(texts, tenant, deps);
  if (!screened.ok) return screened;
  const { findings } = screened.value;
  const masked = typeof input === "string" ? (screened.value.texts[0] ?? "") : [...screened.value.texts];
  return ok({ request: { ...request, input: masked }, findings });
}

/** Texts for a guard model; the classifier in process sends them nowhere. */
export async function screenModeration(
  request: ModerationRequest,
  tenant: TenantConfig,
  deps: ScreenDeps,
): Promise<ScreenResult<ModerationRequest>> {
  if (isInProcess(request.model)) return ok({ request, findings: null });
  const { inputs } = request;
  const screened = await screenTexts(inputs, tenant, deps);
  if (!screened.ok) return screened;
  return ok({ request: { ...request, inputs: screened.value.texts }, findings: screened.value.findings });
}

/** @param placeOf the field of the body that a message came from; `null`: all of them */
export function refusalAt(
  { refusal, message }: Extract<ScreenedPrompt<unknown>, { kind: "refused" }>,
  placeOf: (message: number | null) => string,
): Refusal {
  if (refusal.kind === "value-invalid") return invalidValue(placeOf(null), refusal.message);
  return refusal.kind === "content-refused" && message !== undefined
    ? { ...refusal, param: placeOf(message) }
    : refusal;
}

/**
 * `email:2 card:1 hate:1`, as they came, then harm; `null`: nothing was found.
 *
 * @param harm how often each category of harm was found
 */
export function summary(
  findings: readonly { readonly span: { readonly kind: string } }[],
  harm: ReadonlyMap<string, number> = noHarm,
): string | null {
  if (findings.length === 0 && harm.size === 0) return null;
  const counts = new Map<string, number>();
  for (const { span } of findings) counts.set(span.kind, (counts.get(span.kind) ?? 0) + 1);
  return [...counts, ...harm].map(([kind, count]) => `${kind}:${count}`).join(" ");
}

/** Two such summaries in one; `null`: neither found anything. */
export function summaryOfBoth(first: string | null, second: string | null): string | null {
  if (first === null || second === null) return first ?? second;
  const counts = new Map<string, number>();
  for (const finding of `${first} ${second}`.split(" ")) {
    const at = finding.lastIndexOf(":");
    const kind = finding.slice(0, at);
    counts.set(kind, (counts.get(kind) ?? 0) + Number(finding.slice(at + 1)));
  }
  return Array.from(counts, ([kind, count]) => `${kind}:${count}`).join(" ");
}

const noHarm: ReadonlyMap<string, number> = new Map();
