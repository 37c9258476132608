import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { apiFieldsFile, apiFieldsPage } from "../../dev/api-fields-page.ts";
import { chatFieldRules, refusedChatFields } from "../../src/shared/wire/chat-fields.ts";
import { completionFields } from "../../src/shared/wire/completions-request.ts";
import { refusedResponseFields, responseFieldRules } from "../../src/shared/wire/responses-fields.ts";
import { inputTokensFields } from "../../src/shared/wire/input-tokens-request.ts";
import { moderationFields } from "../../src/shared/wire/moderations-request.ts";
import {
  vectorStoreBatchCreationSchema,
  vectorStoreCreationSchema,
  vectorStoreFileCreationSchema,
  vectorStoreFileUpdateSchema,
  vectorStoreSearchSchema,
  vectorStoreUpdateSchema,
} from "../../src/shared/wire/vector-store-request.ts";
import { embeddingFields } from "../../src/shared/wire/embeddings-request.ts";

/** The tables of fields against the page about them, the list of what engines get, and OpenAI's own description. */

test("docs/api-fields.md says what the tables say (node dev/api-fields-page.ts writes it)", () => {
  expect(readFileSync(apiFieldsFile, "utf8")).toBe(apiFieldsPage());
});

test("no field is both taken and refused", () => {
  for (const field of Object.keys(refusedChatFields)) expect(chatFieldRules).not.toHaveProperty([field]);
  for (const field of Object.keys(refusedResponseFields))
    expect(responseFieldRules).not.toHaveProperty([field]);
});

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Data that this repository doesn't hold: skipped where the folder is not. */
const file = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/openai/openapi.json`;

describe.skipIf(!existsSync(file))("OpenAI's published description", () => {
  function propertiesOf(
    schemas: Readonly<Record<string, Schema>>,
    schema: Schema | undefined,
  ): readonly string[] {
    if (schema === undefined) throw new Error("no such schema in OpenAI's description");
    if (schema.$ref !== undefined) return propertiesOf(schemas, schemas[schema.$ref.split("/").at(-1) ?? ""]);
    return [
      ...(schema.allOf ?? []).flatMap((one) => propertiesOf(schemas, one)),
      ...Object.keys(schema.properties ?? {}),
    ];
  }

  test.each([
    ["CreateChatCompletionRequest", [...Object.keys(chatFieldRules), ...Object.keys(refusedChatFields)], 30],
    ["CreateResponse", [...Object.keys(responseFieldRules), ...Object.keys(refusedResponseFields)], 25],
    ["TokenCountsBody", inputTokensFields, 10],
    ["CreateCompletionRequest", [...completionFields.taken, ...completionFields.refused], 15],
    ["CreateEmbeddingRequest", [...embeddingFields.taken, ...embeddingFields.refused], 5],
    ["CreateModerationRequest", moderationFields, 2],
    ["CreateVectorStoreRequest", Object.keys(vectorStoreCreationSchema.unwrap().shape), 6],
    ["UpdateVectorStoreRequest", Object.keys(vectorStoreUpdateSchema.unwrap().shape), 3],
    ["CreateVectorStoreFileRequest", Object.keys(vectorStoreFileCreationSchema.unwrap().shape), 3],
    ["CreateVectorStoreFileBatchRequest", Object.keys(vectorStoreBatchCreationSchema.unwrap().shape), 4],
    ["UpdateVectorStoreFileAttributesRequest", Object.keys(vectorStoreFileUpdateSchema.unwrap().shape), 1],
    ["VectorStoreSearchRequest", Object.keys(vectorStoreSearchSchema.unwrap().shape), 5],
  ])("every property of %s is taken or refused by name", (name, known, least) => {
    const document = JSON.parse(readFileSync(file, "utf8")) as {
      components: { schemas: Record<string, Schema> };
    };
    const properties = propertiesOf(document.components.schemas, document.components.schemas[name]);
    expect(properties.length).toBeGreaterThanOrEqual(least);
    expect(properties.filter((property) => !known.includes(property))).toEqual([]);
  });
});
