import { describe, expect, test } from "vitest";
import { parseChatRequest } from "./chat-request.ts";
import { checkMedia, type MediaPolicy } from "./media.ts";

const policy: MediaPolicy = { allow_hosts: ["images.example.com"], max_bytes: 60 };
const png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAA=";

function check(part: unknown, use: MediaPolicy = policy) {
  const body = {
    model: "auto",
    messages: [{ role: "user", content: [{ type: "text", text: "Look" }, part] }],
  };
  const request = parseChatRequest(JSON.stringify(body));
  if (!request.ok) throw new Error(JSON.stringify(request.error));
  return checkMedia(request.value, use);
}

const image = (url: string) => ({ type: "image_url", image_url: { url } });
const audio = (data: string, format = "wav") => ({ type: "input_audio", input_audio: { data, format } });
const base64 = (bytes: number, start: string) => start + "A".repeat(Math.ceil(bytes / 3) * 4 - start.length);

describe("images", () => {
  test.each([
    ["a data URL", png],
    ["its scheme and type in capitals", png.replace("data:image/png", "DATA:Image/PNG")],
    ["JPEG under the name that files have", "data:image/jpg;base64,/9j/4AAQ"],
    ["a host that the tenant allows", "https://images.example.com/a/b.png?size=2"],
  ])("%s passes", (_, url) => {
    expect(check(image(url))).toEqual({ ok: true, value: undefined });
  });

  test.each([
    ["a host that is not allowed", "https://example.com/a.png"],
    ["a subdomain of an allowed host", "https://a.images.example.com/a.png"],
    ["an allowed host as the user of another", "https://images.example.com@evil.test/a.png"],
    ["an allowed host before a backslash", "https://images.example.com\\@evil.test/a.png"],
    ["a port", "https://images.example.com:8443/a.png"],
    ["http", "http://images.example.com/a.png"],
    ["the metadata service", "http://169.254.169.254/latest/meta-data"],
    ["a file", "file:///etc/passwd"],
    ["a blank in front", " https://images.example.com/a.png"],
    ["a line feed in the host", "https://images.exam\nple.com/a.png"],
    ["a data URL without base64", "data:image/png,abc"],
    ["a type that is not taken", "data:image/svg+xml;base64,PHN2Zz4="],
    ["text as an image", "data:text/html;base64,PGh0bWw+"],
    ["bytes of another type", "data:image/png;base64,/9j/4AAQ"],
    ["characters that base64 has not", "data:image/png;base64,iVBORw0KGgo*"],
    ["padding in the middle", "data:image/png;base64,iVBORw0KGgo=AAAA"],
    ["a length that base64 cannot have", "data:image/png;base64,iVBORw0KGgoAA"],
    ["nothing", "data:"],
  ])("%s is refused, by name", (_, url) => {
    expect(check(image(url))).toMatchObject({
      ok: false,
      error: { kind: "value-invalid", param: "messages[0].content[1].image_url.url" },
    });
  });

  test("the size cap counts decoded bytes", () => {
    const url = (bytes: number) => `data:image/png;base64,${base64(bytes, "iVBORw0KGgo")}`;
    expect(check(image(url(60)))).toMatchObject({ ok: true });
    expect(check(image(url(63)))).toMatchObject({ ok: false });
  });

  test("megabytes of base64 are checked without a stack overflow", () => {
    const url = `data:image/png;base64,${base64(9_000_000, "iVBORw0KGgo")}`;
    expect(check(image(url), { ...policy, max_bytes: 20_000_000 })).toMatchObject({ ok: true });
  });
});

describe("sounds", () => {
  test.each([
    ["wav", base64(30, "UklGR")],
    ["mp3", base64(30, "SUQz")],
    ["mp3", base64(30, "//uQ")],
  ])("%s passes", (format, data) => {
    expect(check(audio(data, format))).toMatchObject({ ok: true });
  });
  test.each([
    ["over the cap", base64(63, "UklGR")],
    ["of another type", base64(30, "SUQz")],
    ["not base64", "UklGR..."],
  ])("%s is refused, by name", (_, data) => {
    expect(check(audio(data))).toMatchObject({
      ok: false,
      error: { kind: "value-invalid", param: "messages[0].content[1].input_audio.data" },
    });
  });
});
