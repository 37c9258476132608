import { beforeEach, expect, test, vi } from "vitest";
import type { ChatFile } from "./chat-file.ts";
import { MessagePictures } from "./message-pictures.ts";
import { isPicture, mostPictures } from "./picture.ts";

let shown: readonly ChatFile[];
let pictures: MessagePictures;

beforeEach(() => {
  shown = [];
  pictures = new MessagePictures(
    (now) => {
      shown = now;
    },
    async ({ name }) => {
      if (name === "broken.png") throw new Error("broken");
      return urlOf(name);
    },
  );
});

const urlOf = (name: string): string => `data:image/jpeg;base64,${name}`;
const picture = (name: string): File => new File(["p"], name, { type: "image/png" });
const states = (): (readonly [string, string])[] => shown.map(({ name, state }) => [name, state.kind]);
const looked = () => vi.waitFor(() => expect(states().map(([, kind]) => kind)).not.toContain("reading"));

test("pictures go with their message and no other; of one that was refused they are back", async () => {
  pictures.add(picture("a.png"));
  await looked();
  expect(shown[0]?.picture).toBe("data:image/jpeg;base64,a.png");
  pictures.asked([urlOf("a.png")]);
  expect(shown).toEqual([]);
  pictures.add(picture("b.png"));
  await looked();
  pictures.refused();
  expect(states()).toEqual([
    ["a.png", "ready"],
    ["b.png", "ready"],
  ]);
  pictures.refused();
  expect(shown.length).toBe(2);
});

test("a picture that is attached before the server has said a word is the next message's, and is not lost", async () => {
  pictures.add(picture("a.png"));
  await looked();
  const sent = [urlOf("a.png")];
  pictures.add(picture("b.png"));
  await looked();
  pictures.asked(sent);
  expect(states()).toEqual([["b.png", "ready"]]);
});

test("those that come back with a refused message leave no room for more than one has", async () => {
  const names = Array.from({ length: mostPictures }, (_, at) => `${at}.png`);
  for (const name of names) pictures.add(picture(name));
  await looked();
  pictures.asked(names.map(urlOf));
  pictures.add(picture("ready.png"));
  await looked();
  pictures.add(picture("late.png"));
  pictures.refused();
  await looked();
  const ready = shown.filter(({ state }) => state.kind === "ready").map(({ name }) => name);
  expect(ready).toEqual(names);
  expect(states().slice(mostPictures)).toEqual([
    ["ready.png", "failed"],
    ["late.png", "failed"],
  ]);
});

test("there is room for so many in a message; one that can't be read takes none", async () => {
  pictures.add(picture("broken.png"));
  await looked();
  for (let at = 0; at <= mostPictures; at += 1) pictures.add(picture(`${at}.png`));
  await looked();
  expect(states().map(([, kind]) => kind)).toEqual([
    "failed",
    ...Array.from({ length: mostPictures }, () => "ready"),
    "failed",
  ]);
  expect(pictures.remove(shown[0]?.key ?? "")).toBe(true);
  expect(pictures.remove("elsewhere")).toBe(false);
});

test("one that was removed while it was read does not come back", async () => {
  pictures.add(picture("a.png"));
  pictures.remove(shown[0]?.key ?? "");
  await Promise.resolve();
  expect(shown).toEqual([]);
});

test.each([
  ["image/jpeg", true],
  ["image/heic", true],
  ["image/svg+xml", false],
  ["text/plain", false],
  ["", false],
])("%s: a picture is %s", (type, is) => {
  expect(isPicture(new File(["p"], "p", { type }))).toBe(is);
});
