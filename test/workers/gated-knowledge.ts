import { createKnowledgeBaseClass } from "../../durable-objects/knowledge-base/knowledge-base.ts";
import { err, ok } from "../../src/shared/contracts/result.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import type { OutsideBounds } from "../../src/shared/retrieval/outside-bounds.ts";
import { DocumentReaderDied, type Embedder } from "../../src/shared/retrieval/ports.ts";
import { readWhole } from "../../src/shared/retrieval/read-file-text.ts";
import { vectorizeVectors } from "../../src/shared/retrieval/vectorize-index.ts";
import type { FakeVectorize } from "./fake-vectorize.ts";

/**
 * A KnowledgeBase object whose files are the test's, and which stands still where the test says: the object's own rules are tested against
 * it, without a bucket or a fleet. A test is known by its tenant.
 */
export type Step = "open" | "read" | "embedder" | "embed";

export interface KnowledgeControl {
  readonly texts: Map<string, string>;
  /** Where the processing of a file stands still, once. */
  stopsAt: Step | null;
  arrived: PromiseWithResolvers<void>;
  go: PromiseWithResolvers<void>;
  /** So many calls of the embedder fail, as one that can't be reached. */
  embedFails: number;
  /** So many answers of the embedder hold no numbers: the tables refuse them. */
  spoils: number;
  /** The embedder is another one now. */
  embedderId: string;
  opened: number;
  embedded: number;
  reports: string[];
  /** The index of vectors outside; `null`: none is bound. */
  vectorize: FakeVectorize | null;
  bounds: OutsideBounds;
  /** What the tenant's configuration says that a store may hold; `null`: nobody can say. */
  mostPassages: number | null;
}

/** The reader of documents breaks off, or dies in the middle, so many times; whether it was to read alone, each time. Of all tests of a file. */
export const documentControl: { fails: number; deaths: number; alone: boolean[] } = {
  fails: 0,
  deaths: 0,
  alone: [],
};

const controls = new Map<string, KnowledgeControl>();

export function knowledgeControl(tenant: string): KnowledgeControl {
  const known = controls.get(tenant);
  if (known !== undefined) return known;
  const made: KnowledgeControl = {
    texts: new Map(),
    stopsAt: null,
    arrived: Promise.withResolvers(),
    go: Promise.withResolvers(),
    embedFails: 0,
    spoils: 0,
    embedderId: lexicalEmbedder.id,
    opened: 0,
    embedded: 0,
    reports: [],
    vectorize: null,
    bounds: { from: 4, compared: 12 },
    mostPassages: null,
  };
  controls.set(tenant, made);
  return made;
}

async function reach(control: KnowledgeControl, step: Step): Promise<void> {
  if (control.stopsAt !== step) return;
  control.stopsAt = null;
  control.arrived.resolve();
  await control.go.promise;
}

export const GatedKnowledge = createKnowledgeBaseClass((_env, { id }) => ({
  outside(jurisdiction) {
    const { vectorize, bounds } = knowledgeControl(id.name ?? "");
    return vectorize === null || jurisdiction !== "none" ? null : { ...vectorizeVectors(vectorize), bounds };
  },
  async open({ owner, fileId }) {
    const control = knowledgeControl(owner.tenant);
    control.opened += 1;
    await reach(control, "open");
    const text = control.texts.get(fileId);
    if (text === undefined) return null;
    const bytes = new TextEncoder().encode(text);
    return new ReadableStream({
      async pull(controller) {
        controller.enqueue(bytes);
        await reach(control, "read");
        controller.close();
      },
    });
  },
  documents: {
    async read(body, bytes, isAlone = false) {
      documentControl.alone.push(isAlone);
      if (documentControl.deaths > 0) {
        documentControl.deaths -= 1;
        throw new DocumentReaderDied("the reader died");
      }
      if (documentControl.fails > 0) {
        documentControl.fails -= 1;
        throw new Error("the reader broke off");
      }
      const text = new TextDecoder().decode(await readWhole(body, bytes));
      // A page is what stands before a form feed.
      const pageStarts = [...text.matchAll(/^|\f/g)].map(({ index }) => index);
      return ok({ text, kind: "plain", pageStarts });
    },
  },
  mostPassages: (tenant) => Promise.resolve(knowledgeControl(tenant).mostPassages),
  async models(tenant) {
    const control = knowledgeControl(tenant);
    await reach(control, "embedder");
    const embedder: Embedder = {
      ...lexicalEmbedder,
      id: control.embedderId,
      async embed(texts, purpose) {
        await reach(control, "embed");
        control.embedded += 1;
        if (control.spoils > 0) {
          control.spoils -= 1;
          return ok(texts.map(() => Float32Array.of(Number.NaN)));
        }
        if (control.embedFails === 0) return lexicalEmbedder.embed(texts, purpose);
        control.embedFails -= 1;
        return err({ kind: "origin-unavailable", retryAfterMs: 1000, detail: "down" });
      },
    };
    return { embedder, reranker: lexicalReranker };
  },
  report: (_, detail) => {
    for (const control of controls.values()) control.reports.push(detail);
  },
}));
