/**
 * Which error does the client get for zod's issues? One refusal with OpenAI's form of `param` (`messages[0].content`).
 * It reports only one issue, usually the first: fixing it often fixes the others.
 */
import type * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { echoedText } from "./echoed-text.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Values of a discriminator that OpenAI or vLLM supports and this service does not. */
const unsupportedVariants: ReadonlyMap<string, string> = new Map([
  ["role=function", "can't be 'function': use the role 'tool', which replaced it"],
  ["type=file", "can't be 'file' here: send files in a message of the user"],
  ["type=input_file", "can't be 'input_file' here: send files in a message of the user"],
  ["type=input_image", "can't be 'input_image' here: send pictures in a message of the user"],
  ["type=file_search", "can't be 'file_search' here: name the vector stores in 'retrieval'"],
  ["type=custom", "can't be 'custom': use a function tool"],
  ["type=video_url", "can't be 'video_url': video is not supported"],
  ["type=audio_url", "can't be 'audio_url': send sound as input_audio"],
  ["type=structural_tag", "can't be 'structural_tag': use json_schema"],
]);

/** Types of parts in one of OpenAI's APIs, and what the other calls them. */
const twins: ReadonlyMap<string, readonly string[]> = new Map([
  ["text", ["output_text", "input_text"]],
  ["image_url", ["input_image"]],
  ["file", ["input_file"]],
  ["input_text", ["text"]],
  ["output_text", ["text"]],
  ["input_image", ["image_url"]],
  ["input_file", ["file"]],
]);

function twinOf(value: string, issue: Issue): string | undefined {
  const options: unknown = "options" in issue ? issue.options : null;
  return Array.isArray(options) ? twins.get(value)?.find((twin) => options.includes(twin)) : undefined;
}

export function refusalOfIssues(issues: readonly Issue[], prefix: Path, input: unknown): Refusal {
  const told = issueToTell(issues);
  if (told === undefined) throw new Error("a failed parse has an issue");
  return refusalOfIssue(told, prefix, input);
}

/** The first issue; but an unsupported field takes precedence if it explains a missing one: an image given by a file's id has no URL. */
function issueToTell(issues: readonly Issue[]): Issue | undefined {
  return issues.find(isUnsupported) ?? issues[0];
}

function isUnsupported(issue: Issue): boolean {
  return issue.code === "custom" && issue.params?.["unsupported"] === true;
}

/** `["messages", 0, "content"]` → `messages[0].content`. */
export function paramOf(path: Path): string {
  let param = "";
  for (const step of path) {
    if (typeof step === "number") param += `[${step}]`;
    else param += param === "" ? shortened(String(step)) : `.${shortened(String(step))}`;
  }
  return param;
}

/** The longest key that a path repeats. */
const maxKeyCharacters = 64;

function shortened(key: string): string {
  return echoedText(key, maxKeyCharacters);
}

/** The message is a sentence that begins with the field. */
export function invalidValue(param: string | null, fault: string): Refusal {
  return { kind: "value-invalid", param, message: `${param === null ? "The body" : `'${param}'`} ${fault}.` };
}

export function unsupportedParameter(param: string, fault: string): Refusal {
  return { kind: "parameter-unsupported", param, message: `'${param}' ${fault}.` };
}

/** `path` leads to `input` within the body; the issue's own path continues from there. */
function refusalOfIssue(issue: Issue, path: Path, input: unknown): Refusal {
  const here = [...path, ...issue.path];
  const param = paramOf(here);
  if (issue.code === "unrecognized_keys")
    return { kind: "parameter-unknown", param: paramOf([...here, issue.keys[0] ?? ""]) };
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const branch = closestBranch(issue.errors);
    if (branch !== null) return refusalOfIssue(branch, here, valueAt(input, issue.path));
    if (valueAt(input, issue.path) !== undefined)
      return invalidValue(param, `must be ${alternatives(issue.errors)}`);
  }
  const value = valueAt(input, issue.path);
  if (issue.code === "invalid_union" && typeof value === "string") {
    const twin = twinOf(value, issue);
    if (twin !== undefined)
      return invalidValue(param, `must be '${twin}' here: '${value}' is what another API calls it`);
    const variant = unsupportedVariants.get(`${String(issue.path.at(-1))}=${value}`);
    if (variant !== undefined) return unsupportedParameter(param, variant);
  }
  if (isUnsupported(issue)) return unsupportedParameter(param, issue.message);
  if (value === undefined && issue.code !== "custom")
    return invalidValue(param === "" ? null : param, "is required");
  return invalidValue(param === "" ? null : param, faultOf(issue));
}

/** The branch of a union that the value matches best; null if every branch refuses its type outright. */
function closestBranch(branches: readonly (readonly Issue[])[]): Issue | null {
  let best: Issue | null = null;
  let bestScore = 0;
  for (const issues of branches) {
    const issue = issueToTell(issues);
    if (issue === undefined) continue;
    // Deeper is closer; at the same place a wrong size is closer than a wrong type.
    const score = issue.path.length * 2 + (isTypeFault(issue) && issue.path.length === 0 ? 0 : 1);
    if (score > bestScore) {
      best = issue;
      bestScore = score;
    }
  }
  return best;
}

function isTypeFault(issue: Issue): boolean {
  return (
    issue.code === "invalid_type" ||
    issue.code === "invalid_value" ||
    (issue.code === "invalid_union" && issue.errors.length > 0)
  );
}

function alternatives(branches: readonly (readonly Issue[])[]): string {
  const named = branches.map(([issue]) =>
    issue === undefined ? "" : faultOf(issue).replace(/^must be /, ""),
  );
  return [...new Set(named.filter((one) => one !== ""))].join(", or ");
}

function faultOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${article(issue.expected)}`;
    case "invalid_value":
      return `must be ${issue.values.length === 1 ? "" : "one of "}${listed(issue.values)}`;
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? `must be ${issue.options.length === 1 ? "" : "one of "}${listed(issue.options)}`
        : "has a form that is not known";
    case "too_big":
      return sizeFault(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum);
    case "too_small":
      return sizeFault(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum);
    case "invalid_key":
      return `is not allowed: a key ${issue.issues[0] === undefined ? "of another form is needed" : faultOf(issue.issues[0])}`;
    case "custom":
      return issue.message;
    case "invalid_format":
      return issue.message.startsWith("Invalid") ? "has a form that is not valid" : issue.message;
    case "not_multiple_of":
    case "invalid_element":
    case "unrecognized_keys":
      return "is not valid";
  }
}

function sizeFault(origin: string, relation: string, size: number | bigint): string {
  if (origin === "string") return `must have ${relation} ${size} character${Number(size) === 1 ? "" : "s"}`;
  if (origin === "array") return `must have ${relation} ${size} item${Number(size) === 1 ? "" : "s"}`;
  return `must be ${relation} ${size}`;
}

function article(expected: string): string {
  switch (expected) {
    case "int":
      return "an integer";
    case "array":
      return "an array";
    case "object":
    case "record":
      return "an object";
    case "boolean":
      return "true or false";
    default:
      return `a ${expected}`;
  }
}

function listed(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === "string" ? `'${value}'` : String(value))).join(", ");
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
