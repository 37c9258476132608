/** A counter that the isolates of one location share: Cloudflare's Rate Limiting binding. */
export interface SharedCounter {
  /** Counts one for this key. False: the key is over the limit. */
  count(key: string): Promise<boolean>;
}
