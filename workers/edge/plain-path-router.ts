/**
 * Hono's router of tries, which remembers what it said of paths that are routes as they stand: nearly all requests ask for one of a
 * dozen of those. Hono's own choice, the router of regular expressions, can't hold `/v1/responses/input_tokens` beside
 * `/v1/responses/:id`; it was built by the first request of an isolate, and thrown away.
 */
import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/** What stands in a pattern and in no plain path. */
const patternMarks = /[:*{?]/;

export class PlainPathRouter<T> implements Router<T> {
  readonly name = "PlainPathRouter";
  readonly #trie = new TrieRouter<T>();
  /** By method and path; `null`: not asked for yet. Nobody can make it grow: only paths of routes are in it. */
  readonly #plain = new Map<string, Map<string, Result<T> | null>>();

  add(method: string, path: string, handler: T): void {
    this.#trie.add(method, path, handler);
    if (patternMarks.test(path)) return;
    const ofMethod = this.#plain.get(method) ?? new Map<string, Result<T> | null>();
    this.#plain.set(method, ofMethod.set(path, null));
  }

  match(method: string, path: string): Result<T> {
    const ofMethod = this.#plain.get(method);
    const known = ofMethod?.get(path);
    if (known) return known;
    const found = this.#trie.match(method, path);
    if (known === null) ofMethod?.set(path, found);
    return found;
  }
}
