/**
 * Code that is loaded for itself when something first asks for it: is it there? One that can't be had is asked for again by whoever asks
 * next (no connection; replaced by a newer page's).
 */
import { useEffect, useSyncExternalStore } from "react";
import { loadAgain } from "./load-again.ts";

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

/** Asks for it. `null`: it is not there yet, or can't be had. */
export function useLate<Module>(late: LateCode<Module>): Module | null {
  const module = useSyncExternalStore(late.subscribe, late.module, late.module);
  useEffect(() => void late.want(), [late]);
  return module;
}

export function useIsLost(late: LateCode<unknown>): boolean {
  return useSyncExternalStore(late.subscribe, late.isLost);
}
