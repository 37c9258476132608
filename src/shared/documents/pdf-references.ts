/**
 * How many references does a PDF list in a row, for example as a page's annotations? PDF.js resolves all of them, repeated ones as often as
 * they are listed, before it reports their number: 200,000 took a minute and 400 MB.
 */

/** @param bytes of the file, or of a stream of its objects. The longest run of `12 0 R`. */
export function longestReferences(bytes: Uint8Array): number {
  let longest = 0;
  let run = 0;
  let numbers = 0;
  for (let at = 0; at < bytes.byteLength; at += 1) {
    const code = bytes[at] ?? 0;
    if (isBlank(code)) continue;
    if (isDigit(code)) {
      while (isDigit(bytes[at + 1] ?? 0)) at += 1;
      numbers += 1;
      if (numbers > 2) run = 0;
    } else {
      // `R`
      run = code === 0x52 && numbers === 2 ? run + 1 : 0;
      longest = Math.max(longest, run);
      numbers = 0;
    }
  }
  return longest;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
