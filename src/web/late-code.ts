/**
 * Code that is loaded separately when it is first needed. If that fails (no connection; replaced by a newer version's), the next request
 * tries again.
 */
import { useEffect, useSyncExternalStore } from "react";
import { loadAgain } from "./load-again.ts";
import { pause, retryPauseMs } from "./retry-pause.ts";
import { useOnline } from "./use-online.ts";

export class LateCode<Module> {
  readonly #load: () => Promise<Module>;
  readonly #listeners = new Set<() => void>();
  #module: Module | null = null;
  #isLost = false;
  #loading: Promise<void> | null = null;

  constructor(load: () => Promise<Module>) {
    this.#load = load;
  }

  /** Loads it. Concurrent calls share one request. */
  async want(): Promise<void> {
    if (this.#module !== null) return;
    this.#loading ??= loadAgain(this.#load).then(
      (module) => this.#loaded(module),
      () => this.#loaded(null),
    );
    await this.#loading;
  }

  /** Tries until it is loaded. `null`: the caller has left before. @param lost called when the first attempt fails */
  async until(leaving: AbortSignal, lost: () => void): Promise<Module | null> {
    for (let failures = 1; !leaving.aborted; failures += 1) {
      await this.want();
      if (this.#module !== null) return this.#module;
      if (failures === 1) lost();
      await pause(retryPauseMs(failures, Math.random()), leaving);
    }
    return null;
  }

  readonly module = (): Module | null => this.#module;

  readonly isLost = (): boolean => this.#isLost;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #loaded(module: Module | null): void {
    this.#module = module;
    this.#isLost = module === null;
    this.#loading = null;
    for (const listener of this.#listeners) listener();
  }
}

/** Loads it, and tries again when the connection is back. `null`: not loaded yet, or it failed. */
export function useLate<Module>(late: LateCode<Module>): Module | null {
  const module = useSyncExternalStore(late.subscribe, late.module, late.module);
  const online = useOnline();
  useEffect(() => void late.want(), [late, online]);
  return module;
}

export function useIsLost(late: LateCode<unknown>): boolean {
  return useSyncExternalStore(late.subscribe, late.isLost);
}

/**
 * Adds styles that are bundled with their code, so that neither is ever there without the other, as with two files. The page's policy
 * (public/_headers) allows it, since nothing is written into the document.
 */
export function addStyles(text: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets.push(sheet);
}
