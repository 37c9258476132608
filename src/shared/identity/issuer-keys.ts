import type { Background } from "../contracts/background.ts";
import type { ReportFault } from "../contracts/report-fault.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { BoundedMap } from "../isolate/bounded-map.ts";
import type { Issuer } from "../tenancy/issuer-config.ts";
import { demoSecretName } from "./demo.ts";
import { isGuessable } from "./guessable-secret.ts";
import { KeySet } from "./key-set.ts";
import { minSecretBytes, type TokenAlgorithm } from "./public-key.ts";
import type { PinnedKey } from "./signature.ts";
import { RemoteKeySet, type FetchKeySet, type KeySetCache, type RemoteKeyFinding } from "./remote-key-set.ts";

/**
 * Where does an issuer's key come from? From configuration alone: a Worker secret by name, a key set written there, or
 * one behind a URL. Nothing in a token chooses the kind, and a shared secret never comes out of a key set.
 */
export interface IssuerKeys {
  /**
   * Stands for the keys in use now, for comparing by identity; `null`: none. What was verified under another object must
   * be verified again. Costs a field read, and starts a refresh where one is due.
   */
  current(background: Background): object | null;
  find(kid: string | undefined, algorithm: TokenAlgorithm, background: Background): Promise<IssuerKeyFinding>;
}

/** `previous`: a second key that the signature may be of, while an issuer changes its secret. */
export type IssuerKeyFinding = RemoteKeyFinding & { readonly previous?: PinnedKey };

export interface IssuerKeysOptions {
  /** A Worker secret by its name. */
  readonly secret: (name: string) => string | undefined;
  readonly fetchKeySet: FetchKeySet;
  readonly keySetCache: KeySetCache;
  /** The demo tenant's secret is a development key, refused in production under whatever name it turns up. */
  readonly environment: "local" | "production";
  readonly now: () => number;
  readonly report: ReportFault;
}

export type KeySource = Pick<Issuer, "keys">;

/** Keys of an issuer, made once per configuration object. */
export function createIssuerKeys(options: IssuerKeysOptions): (issuer: KeySource) => IssuerKeys {
  const known = new WeakMap<KeySource, IssuerKeys>();
  // By URL, not by configuration: an edit of the tenant must not lose the last good keys of an issuer that is down.
  const remote = new BoundedMap<string, RemoteKeySet>({ maxEntries: 256 });

  function make({ keys }: KeySource): IssuerKeys {
    switch (keys.type) {
      case "secret":
        return secretKeys(keys.name, keys.previous_name, options);
      case "jwks": {
        const set = new KeySet(keys.keys);
        return { current: () => set, find: (kid, algorithm) => set.find(kid, algorithm) };
      }
      case "jwks_url": {
        const { url, max_stale_seconds: maxStaleSeconds } = keys;
        if (options.environment === "production" && !url.startsWith("https:"))
          return brokenKeys(`key set ${url} is not https`, options.report);
        const name = `${maxStaleSeconds} ${url}`;
        let set = remote.get(name);
        if (set === undefined) {
          const { fetchKeySet: fetch, keySetCache: cache, now, report } = options;
          set = new RemoteKeySet({ url, maxStaleMs: maxStaleSeconds * 1000, fetch, cache, now, report });
          remote.set(name, set);
        }
        return set;
      }
    }
  }

  return (issuer) => {
    let keys = known.get(issuer);
    if (keys === undefined) {
      keys = make(issuer);
      known.set(issuer, keys);
    }
    return keys;
  };
}

/** For an HS256 token the `kid` chooses nothing; it must still look like a name, not like a path or a query. */
const plainName = /^[A-Za-z0-9._~:@=+-]{1,128}$/;

function secretKeys(name: string, previousName: string | undefined, options: IssuerKeysOptions): IssuerKeys {
  const { report } = options;
  const read = readSecret(name, options);
  if (!read.ok) return brokenKeys(read.error, report);
  const before = previousName === undefined ? null : readSecret(previousName, options);
  // The other one goes on: who changes a secret may have taken away the old one before its name.
  if (before?.ok === false) report("identity", before.error);
  const mark = {};
  let imported: readonly [CryptoKey, CryptoKey | null] | undefined;
  return {
    current: () => mark,
    async find(kid, algorithm) {
      if (algorithm !== "HS256") return { result: "unknown" };
      if (kid !== undefined && !plainName.test(kid)) return { result: "unknown" };
      imported ??= [await hmacKey(read.value), before?.ok === true ? await hmacKey(before.value) : null];
      const [key, previous] = imported;
      return {
        result: "found",
        key: { algorithm, key },
        ...(previous !== null && { previous: { algorithm, key: previous } }),
      };
    },
  };
}

function hmacKey(bytes: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/** A Worker secret, or why it may verify nothing. */
function readSecret(name: string, { secret, environment }: IssuerKeysOptions): Result<BufferSource, string> {
  const text = secret(name);
  if (text === undefined) return err(`secret ${name} is not set`);
  if (environment === "production" && (name === demoSecretName || text === secret(demoSecretName)))
    return err(`secret ${name} is the demo secret, refused in production`);
  const bytes = new TextEncoder().encode(text);
  if (bytes.byteLength < minSecretBytes) return err(`secret ${name} is under ${minSecretBytes} bytes`);
  if (environment === "production" && isGuessable(text))
    return err(`secret ${name} could be guessed: it is no 32 random bytes`);
  return ok(bytes);
}

/** An issuer whose keys can't be loaded through no fault of the token: its tokens get 503, not 401, and the log says so. */
function brokenKeys(detail: string, report: ReportFault): IssuerKeys {
  return {
    current: () => null,
    async find() {
      report("identity", detail);
      return { result: "unavailable", detail };
    },
  };
}
