/**
 * Code that is loaded for itself when something first asks for it: is it there? One that can't be had is asked for again by whoever asks
 * next (no connection; replaced by a newer page's).
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

  /** Before it is needed, or when it is. All who ask at the same moment share one request. */
  async want(): Promise<void> {
    if (this.#module !== null) return;
    this.#loading ??= loadAgain(this.#load).then(
      (module) => this.#loaded(module),
      () => this.#loaded(null),
    );
    await this.#loading;
  }

  /** Tried until it is there. `null`: whoever asks has left before. @param lost the first try has failed */
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

/** Asks for it, and again when the connection is back. `null`: it is not there yet, or can't be had. */
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
 * Styles that come within the code that shows what they style: neither is ever there without the other, as it would be where a second
 * file could not be had. The page's policy (public/_headers) has no word in this: nothing is written into the document.
 */
export function addStyles(text: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets.push(sheet);
}
