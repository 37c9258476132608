/**
 * Loads code whose file could not be fetched before. Browsers remember a module that failed and never fetch it again, but the error contains
 * its address: under a changed address it is fetched again.
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

/** `null`: the error contains no address of this page's scripts. */
export function addressIn(error: unknown, origin: string): string | null {
  const address = /https?:\/\/[^\s?]+\.js/.exec(error instanceof Error ? error.message : "")?.[0];
  return address?.startsWith(`${origin}/web/`) === true ? address : null;
}
