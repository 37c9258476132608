/**
 * Prepares a picture for a model: small enough for a message and for a stored one, and without the camera's metadata (where, when and with
 * what it was taken).
 */

/** Together with a long text they stay below the 1.5 MB that a conversation stores of one message. */
export const mostPictures = 4;
const mostBytes = 250_000;
/** Pixels of the longer side. Models use about 1,024. */
const sides = [1280, 1024, 768, 512];

export function isPicture({ type }: File): boolean {
  return /^image\/(?:png|jpe?g|webp|gif|avif|bmp|heic|heif)$/.test(type);
}

/** As a `data:` URL. Throws if the browser can't read it. */
export async function pictureOf(file: File): Promise<string> {
  const bitmap = await createImageBitmap(file);
  try {
    for (const side of sides) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
      const canvas = new OffscreenCanvas(
        Math.max(1, Math.round(bitmap.width * scale)),
        Math.max(1, Math.round(bitmap.height * scale)),
      );
      const context = canvas.getContext("2d");
      if (context === null) break;
      // Otherwise transparent pixels would become black.
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
      if (blob.size <= mostBytes) return await dataUrl(blob);
    }
    throw new Error("the picture can't be made small enough");
  } finally {
    bitmap.close();
  }
}

async function dataUrl(blob: Blob): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const reader = new FileReader();
  reader.addEventListener("load", () => resolve(reader.result as string));
  reader.addEventListener("error", () => reject(reader.error ?? new Error("unread")));
  reader.readAsDataURL(blob);
  return promise;
}
