/** The items that a request for a response names in place of them (`item_reference`), read from the responses that keep them. */
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { Item } from "../../src/shared/responses/item.ts";
import { isReference, keeperOfItem } from "../../src/shared/responses/item-reference.ts";
import { rememberedLimits, sizeOf } from "../../src/shared/responses/remembered.ts";
import { namedItems } from "../../src/shared/responses/stored-response.ts";
import { readItem } from "../../src/shared/wire/responses-items.ts";
import {
  inputFault,
  isWhole,
  type ResponseRequest,
  type SentResponseRequest,
} from "../../src/shared/wire/responses-request.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import type { TurnContext } from "./start-turn.ts";
import { askTurnObject } from "./stored-turn.ts";

/** Asked at once: each is an object of its own, and a Worker opens six connections. */
const atOnce = 6;

/**
 * As if the client had sent them back whole: the same checks, the same screen. An item that is unknown, another's, deleted or
 * not kept is refused in the same words. As much is read as a response may go on from.
 */
export async function withNamedItems(
  from: TurnContext,
  sent: SentResponseRequest,
): Promise<Result<ResponseRequest, Refusal>> {
  if (isWhole(sent)) return ok(sent);
  const keepers = keepersOf(sent);
  if (!keepers.ok) return keepers;
  const kept = await readKept(from, [...keepers.value]);
  if (!kept.ok) return kept;
  const input: Item[] = [];
  for (const [at, item] of sent.input.entries()) {
    const read = isReference(item) ? readKeptItem(kept.value.get(item.id), at) : ok(item);
    if (!read.ok) return read;
    input.push(read.value);
  }
  const request: ResponseRequest = { ...sent, input };
  const fault = inputFault(request);
  return fault === null ? ok(request) : err(fault);
}

/** Its files are as they were read then: an uploaded one may be gone since. */
function readKeptItem(kept: Item | undefined, at: number): Result<Item, Refusal> {
  if (kept?.type !== "message" || kept.role === "assistant") return readItem(kept, at);
  const { content } = kept;
  const textAlone = content.map((part) =>
    part.type === "input_file" ? { type: "input_text", text: "" } : part,
  );
  const read = readItem({ ...kept, content: textAlone }, at);
  if (!read.ok || read.value.type !== "message" || read.value.role === "assistant") return read;
  const parts = read.value.content.map((part, index) => {
    const before = content[index];
    return before?.type === "input_file" ? before : part;
  });
  return ok({ ...read.value, content: parts });
}

/** The objects that hold them, with the places of the named items in each. */
function keepersOf(sent: SentResponseRequest): Result<ReadonlyMap<string, readonly Place[]>, Refusal> {
  const keepers = new Map<string, Place[]>();
  const seen = new Set<string>();
  for (const [at, item] of sent.input.entries()) {
    if (!isReference(item)) continue;
    const keeper = keeperOfItem(item.id);
    if (keeper === null) return err(unknownItem(at));
    if (seen.has(item.id)) return err(invalidValue(`input[${at}].id`, "names an item for the second time"));
    seen.add(item.id);
    const places = keepers.get(keeper) ?? [];
    places.push({ at, id: item.id });
    keepers.set(keeper, places);
  }
  return keepers.size > rememberedLimits.responses
    ? err(invalidValue("input", `may name items of at most ${rememberedLimits.responses} responses`))
    : ok(keepers);
}

interface Place {
  readonly at: number;
  readonly id: string;
}

async function readKept(
  from: TurnContext,
  keepers: readonly (readonly [string, readonly Place[]])[],
): Promise<Result<ReadonlyMap<string, Item>, Refusal>> {
  const kept = new Map<string, Item>();
  let read = 0;
  let held = 0;
  for (let next = 0; next < keepers.length; next += atOnce) {
    const batch = keepers.slice(next, next + atOnce);
    const loaded = await Promise.all(batch.map(([keeper, places]) => load(from, keeper, places)));
    for (const items of loaded) {
      if (!items.ok) return items;
      for (const [id, item] of items.value) {
        const size = sizeOf([item]);
        read += size.read;
        held += size.held;
        kept.set(id, item);
      }
    }
    if (read > rememberedLimits.wholeUnits || held > rememberedLimits.heldUnits) return err(tooMuch);
  }
  return ok(kept);
}

async function load(
  from: TurnContext,
  keeper: string,
  places: readonly Place[],
): Promise<Result<readonly (readonly [string, Item])[], Refusal>> {
  const first = places[0]?.at ?? 0;
  const retrieved = await askTurnObject(from, keeper, async (stub, message) => stub.retrieve(message));
  if (!retrieved.ok)
    return err(retrieved.error.kind === "object-unknown" ? unknownItem(first) : retrieved.error);
  if (retrieved.value.result === "running")
    return err({
      kind: "conflict",
      message: `The response of 'input[${first}].id' is still being written. Wait for its end, or cancel it.`,
    });
  const { response } = retrieved.value;
  const items = response === null ? null : namedItems(response);
  const found: (readonly [string, Item])[] = [];
  for (const { at, id } of places) {
    const item = items?.get(id);
    if (item === undefined) return err(unknownItem(at));
    found.push([id, item]);
  }
  return ok(found);
}

function unknownItem(at: number): Refusal {
  return { kind: "object-unknown", namedBy: `input[${at}].id` };
}

const tooMuch = invalidValue(
  "input",
  "names more than is remembered: leave out the oldest items, or go on by 'previous_response_id' with 'truncation': 'auto'",
);
