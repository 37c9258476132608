import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Transcript } from "./transcript.ts";

const sampled = { heldCharacters: 0, deterministic: false };
const certain = { heldCharacters: 0, deterministic: true };

function said(...pieces: readonly string[]): Transcript {
  const transcript = new Transcript();
  for (const piece of pieces) transcript.add(piece, 1);
  return transcript;
}

describe("a cut", () => {
  test("behind a word keeps all of it", () => {
    expect(said("One", " two").cut(sampled)).toEqual({ prefix: "One two", ahead: "", keptTokens: 2 });
  });

  test.each(["\n\n", "  ", "\u00a0", "\u0085", "\u001c", "\ufeff"])(
    "leaves blanks (%j) at the end to the next engine, since a template would trim them",
    (blank) => {
      expect(said("One", blank).cut(sampled)).toEqual({ prefix: "One", ahead: blank, keptTokens: 1 });
    },
  );

  test("leaves half a surrogate pair to the next engine", () => {
    expect(said("One ", "\ud83e").cut(sampled)).toEqual({ prefix: "One", ahead: " \ud83e", keptTokens: 0 });
    expect(said("One ", "\ud83e", "\uddea").cut(sampled)).toMatchObject({
      prefix: "One \u{1F9EA}",
      ahead: "",
    });
  });

  test("inside a token asks for the rest of it, where words are sampled", () => {
    expect(said("One", "!\n\n").cut(sampled)).toEqual({ prefix: "One!", ahead: "\n\n", keptTokens: 1 });
  });

  test("is moved back to the end of a token, where they are not", () => {
    expect(said("One", "!\n\n").cut(certain)).toEqual({ prefix: "One", ahead: "!\n\n", keptTokens: 1 });
    expect(said(" \n").cut(certain)).toEqual({ prefix: "", ahead: " \n", keptTokens: 0 });
  });

  test("does not count tokens that showed nothing, which the next engine makes again", () => {
    expect(said("One", "", "").cut(sampled).keptTokens).toBe(1);
    expect(said("One", "", "").shownTokens).toBe(1);
  });

  test("counts events that bring several tokens or none", () => {
    const transcript = new Transcript();
    transcript.add("One two", 2);
    transcript.add("", 0);
    transcript.add(" three", 1);
    expect(transcript.cut(sampled).keptTokens).toBe(3);
  });

  test("knows by the text behind a stop string's hold-back which tokens are whole", () => {
    // Tokens "Hello", " my", " friend": five characters are held back.
    const transcript = said("", "Hel", "lo my f");
    expect(transcript.cut({ heldCharacters: 5, deterministic: true })).toEqual({
      prefix: "Hello my",
      ahead: " f",
      keptTokens: 2,
    });
    expect(transcript.cut({ heldCharacters: 5, deterministic: false })).toEqual({
      prefix: "Hello my f",
      ahead: "",
      keptTokens: 2,
    });
  });

  test("of a text whose tokens nothing shows takes a share of them", () => {
    // Eight tokens, of which four characters show and twelve are held back.
    const transcript = said("", "", "", "", "", "", "", "abcd");
    expect(transcript.cut({ heldCharacters: 12, deterministic: false }).keptTokens).toBe(2);
    expect(transcript.cut({ heldCharacters: 12, deterministic: true })).toEqual({
      prefix: "",
      ahead: "abcd",
      keptTokens: 0,
    });
  });

  test("of a journal's text keeps its count", () => {
    expect(new Transcript("One two", 2).cut(certain)).toEqual({
      prefix: "One two",
      ahead: "",
      keptTokens: 2,
    });
    expect(new Transcript("One two ", 2).cut(sampled)).toEqual({
      prefix: "One two",
      ahead: " ",
      keptTokens: 1,
    });
  });

  test("never loses or doubles text, and its prefix bears trimming and UTF-8", () => {
    const piece = fc.string({
      unit: fc.constantFrom("a", " ", "\n", "\ud83e", "\uddea", "é", "\u0085"),
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(piece), fc.nat(6), fc.boolean(), (pieces, heldCharacters, deterministic) => {
        const transcript = said(...pieces);
        const { prefix, ahead, keptTokens } = transcript.cut({ heldCharacters, deterministic });
        expect(prefix + ahead).toBe(pieces.join(""));
        expect(prefix.trimEnd()).toBe(prefix);
        expect(prefix).not.toMatch(/[\ud800-\udbff]$/);
        expect(keptTokens).toBeLessThanOrEqual(pieces.length);
        if (prefix === "") expect(keptTokens).toBe(0);
      }),
    );
  });
});

test("a second cut is told from the first one's text and the new engine's words", () => {
  const transcript = said("One", " two", "\n\n");
  const first = transcript.cut(sampled);
  transcript.goOn(first);
  expect(transcript.text).toBe("One two\n\n");
  transcript.add("\n\n", 1);
  transcript.caughtUp("");
  transcript.add("Three", 1);
  expect(transcript.text).toBe("One two\n\nThree");
  expect(transcript.cut(sampled)).toEqual({ prefix: "One two\n\nThree", ahead: "", keptTokens: 4 });
});

test("a second cut before all was said again still knows what the client has", () => {
  const transcript = said("One", "\n", "\n");
  transcript.goOn(transcript.cut(sampled));
  transcript.add("\n", 1);
  transcript.caughtUp("\n");
  expect(transcript.text).toBe("One\n\n");
  expect(transcript.cut(sampled)).toEqual({ prefix: "One", ahead: "\n\n", keptTokens: 1 });
});

test("an answer without end is not kept", () => {
  const transcript = new Transcript();
  for (let at = 0; at < 250_010; at += 1) transcript.add("a", 1);
  expect(transcript.overflowed).toBe(true);
  expect(transcript.text.length).toBeLessThan(250_010);
});

test("what was seen in its bytes is as what was read, in any order of both", () => {
  const piece = fc.record({
    text: fc.stringMatching(/^[ -~]{0,40}$/),
    tokens: fc.nat(3),
    inBytes: fc.boolean(),
    looks: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(6), (pieces, heldCharacters) => {
      const read = new Transcript();
      const seen = new Transcript();
      for (const { text, tokens, inBytes, looks } of pieces) {
        read.add(text, tokens);
        const bytes = new TextEncoder().encode(`..${text}..`);
        if (inBytes) seen.addAscii(bytes, 2, bytes.length - 2, tokens);
        else seen.add(text, tokens);
        if (looks) expect(seen.text).toBe(read.text);
      }
      for (const deterministic of [true, false])
        expect(seen.cut({ heldCharacters, deterministic })).toEqual(
          read.cut({ heldCharacters, deterministic }),
        );
      expect(seen.shownTokens).toBe(read.shownTokens);
    }),
  );
});
