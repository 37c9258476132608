/** The published texts for training and judging the classifier, with what is known about each label. */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { categories, type Category } from "../../src/shared/safety/moderation/categories.ts";

/** What the linear model learns: all of OpenAI's categories. */
export const heads = categories;
export type Head = Category;

const flag = z.union([z.literal(0), z.literal(1)]);
const harmRow = z.object({
  id: z.string(),
  source: z.enum(["hatecheck", "oai_mod", "surge"]),
  label: flag,
  text: z.string(),
  functionality: z.string().optional(),
  target: z.string().optional(),
  cats: z.record(z.string(), flag).optional(),
});
const promptRow = z.object({ id: z.string().optional(), source: z.string(), label: flag, text: z.string() });

export interface LabelledText {
  readonly source: string;
  readonly functionality: string | null;
  readonly text: string;
  /** The source's own verdict: harmful or not. */
  readonly harmful: boolean;
  /** For each head; absent: unknown. */
  readonly known: Readonly<Partial<Record<Head, boolean>>>;
  /** Rows with the same group are in one fold, so that copies of a template don't judge each other. */
  readonly group: string;
}

function lines(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

const nothing = Object.fromEntries(heads.map((head) => [head, false])) as Record<Head, boolean>;
const byLetter: Readonly<Record<string, Head>> = {
  S: "sexual",
  S3: "sexual/minors",
  H: "hate",
  H2: "hate/threatening",
  V: "violence",
  V2: "violence/graphic",
  HR: "harassment",
  SH: "self-harm",
};

/** @param folder shared/data/safety */
export function harmTexts(folder: string): LabelledText[] {
  return lines(`${folder}/harm.jsonl`).map((line) => {
    const row = harmRow.parse(JSON.parse(line));
    const functionality = row.functionality ?? null;
    return {
      source: row.source,
      functionality,
      text: row.text,
      harmful: row.label === 1,
      known: knownOf(row),
      group: templateOf(row),
    };
  });
}

/** Benign questions to chat models, like most traffic, which must pass. */
export function benignPrompts(folder: string): LabelledText[] {
  return lines(`${folder}/injection.jsonl`)
    .map((line) => promptRow.parse(JSON.parse(line)))
    .filter((row) => row.label === 0)
    .map((row) => ({
      source: `benign/${row.source}`,
      functionality: null,
      text: row.text,
      harmful: false,
      known: nothing,
      group: row.text.slice(0, 60),
    }));
}

const ownLetters: Readonly<Record<string, Head>> = {
  A: "harassment",
  AT: "harassment/threatening",
  H: "hate",
  HT: "hate/threatening",
  I: "illicit",
  IV: "illicit/violent",
  SH: "self-harm",
  SI: "self-harm/intent",
  SN: "self-harm/instructions",
  S: "sexual",
  SM: "sexual/minors",
  V: "violence",
  VG: "violence/graphic",
};

/** Our own sentences (own-texts.txt), labelled for every category. */
export function ownTexts(): LabelledText[] {
  return readFileSync(new URL("own-texts.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const at = line.indexOf("|");
      const named = line.slice(0, at) === "-" ? [] : line.slice(0, at).split(",");
      const known: Record<Head, boolean> = { ...nothing };
      for (const letter of named) {
        const head = ownLetters[letter];
        if (head === undefined) throw new Error(`own-texts.txt: no category ${letter}`);
        known[head] = true;
      }
      const text = line.slice(at + 1);
      return { source: "own", functionality: null, text, harmful: named.length > 0, known, group: text };
    });
}

function knownOf(row: z.infer<typeof harmRow>): LabelledText["known"] {
  if (row.source === "hatecheck") {
    const threat = row.functionality?.startsWith("threat_") === true;
    if (row.label === 1)
      return {
        hate: true,
        ...(threat ? { "hate/threatening": true, violence: true } : {}),
        sexual: false,
        "self-harm": false,
      };
    // Abuse of a person outside any protected group is harassment, although HateCheck labels it not hateful.
    const unknown = row.functionality === "target_indiv_nh" || row.functionality === "target_group_nh";
    const { harassment: _, violence: __, ...rest } = nothing;
    return unknown ? rest : nothing;
  }
  if (row.label === 0) return nothing;
  // A comment that people labelled toxic: most of these insult someone.
  if (row.source === "surge")
    return { harassment: true, "self-harm": false, "sexual/minors": false, illicit: false };
  const known: Partial<Record<Head, boolean>> = {};
  for (const [letter, value] of Object.entries(row.cats ?? {})) {
    const head = byLetter[letter];
    if (head !== undefined) known[head] = value === 1;
  }
  if (known["hate/threatening"] === true) known.hate = true;
  if (known["sexual/minors"] === true) known.sexual = true;
  if (known["violence/graphic"] === true) known.violence = true;
  return known;
}

const targets =
  /\b(?:women|woman|girls?|trans(?: people| person)?|gay(?: people| person)?|gays|black(?: people| person)?|blacks|disabled(?: people| person)?|muslims?|immigrants?)\b/gi;

function templateOf(row: z.infer<typeof harmRow>): string {
  return row.source === "hatecheck"
    ? row.text
        .toLowerCase()
        .replaceAll(targets, "*")
        .replace(/[^a-z*]+/g, " ")
        .trim()
    : row.text.slice(0, 60);
}
