/**
 * Which of many replicas is a key's home? Rendezvous hashing (Thaler and Ravishankar 1998, highest random weight): every
 * isolate finds the same one without asking, and when a replica comes or goes only its own keys move.
 */
import { finish } from "./affinity.ts";

/**
 * How much a replica wants a key; the highest is its home, the next its second home, and so on. In (0, 1], uniform; a replica of
 * weight w is home to w times as many keys (Schindelhauer and Schomaker 2005: -w / ln(u) for a uniform u).
 */
export function rendezvous(key: number, replicaSeed: number, weight = 1): number {
  const uniform = (finish(key ^ Math.imul(replicaSeed, 0x9e37_79b1)) + 0.5) / 2 ** 32;
  return weight === 1 ? uniform : uniform ** (1 / weight);
}
