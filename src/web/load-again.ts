/**
 * Code that is loaded for itself, where its file was out of reach before. Browsers remember a module that could not be fetched as one that
 * fails, however often it is asked for, and name its address in the error: by another one it is fetched anew.
 */
export async function loadAgain<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const address = addressIn(error, location.origin);
    if (address === null) throw error;
    return (await import(/* @vite-ignore */ `${address}?again=${crypto.randomUUID()}`)) as Module;
  }
}

/** `null`: it names none of this page's own scripts. */
export function addressIn(error: unknown, origin: string): string | null {
  const address = /https?:\/\/[^\s?]+\.js/.exec(error instanceof Error ? error.message : "")?.[0];
  return address?.startsWith(`${origin}/web/`) === true ? address : null;
}
