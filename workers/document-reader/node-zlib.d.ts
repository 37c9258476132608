/** What is used of Node's zlib, whose own types would bring all of Node's globals along. */
declare module "node:zlib" {
  export function inflateRawSync(
    bytes: Uint8Array,
    options: { readonly maxOutputLength: number; readonly finishFlush: number },
  ): Uint8Array<ArrayBuffer>;
  export function deflateRawSync(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  export const constants: { readonly Z_SYNC_FLUSH: number };
  export function crc32(bytes: Uint8Array): number;
}
