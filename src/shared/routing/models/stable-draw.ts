/** A number between 0 and 1 that is the same for the same text everywhere and always, and evenly spread over different texts. */

/** FNV-1a over UTF-16 units (http://www.isthe.com/chongo/tech/comp/fnv/), then MurmurHash3's finalizer, since FNV's high bits mix badly. */
export function stableDraw(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
