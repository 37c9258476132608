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
      return `data:image/jpeg;base64,${name}`;
    },
  );
});

const picture = (name: string): File => new File(["p"], name, { type: "image/png" });
const states = (): (readonly [string, string])[] => shown.map(({ name, state }) => [name, state.kind]);
const looked = () => vi.waitFor(() => expect(states().map(([, kind]) => kind)).not.toContain("reading"));

test("pictures go with their message and no other; of one that was refused they are back", async () => {
  pictures.add(picture("a.png"));
  await looked();
  expect(shown[0]?.picture).toBe("data:image/jpeg;base64,a.png");
  pictures.asked();
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
