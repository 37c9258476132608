/**
 * Which character set does a page, or an XML file, say that it is in? In its first bytes, in letters that nearly all sets share
 * (https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding, of which this is what pages write).
 */

/** As far as browsers look. */
const prescannedBytes = 1_024;
const comment = /<!--[\s\S]*?(?:-->|$)/g;
/** `<meta charset=…>`, or within its `content` beside `http-equiv`. */
const meta = /<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]{1,40})/i;
const xml = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]{1,40})/i;

/** `null`: it says nothing, or nothing that can be. @param isPage HTML; else XML alone says it */
export function declaredCharset(bytes: Uint8Array, isPage: boolean): string | null {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, prescannedBytes)).replaceAll(comment, "");
  const label = xml.exec(head)?.[1] ?? (isPage ? meta.exec(head)?.[1] : undefined);
  if (label === undefined) return null;
  try {
    const { encoding } = new TextDecoder(label);
    // What could be read so far is no UTF-16, whatever it says.
    return encoding.startsWith("utf-16") ? null : encoding;
  } catch {
    return null;
  }
}
