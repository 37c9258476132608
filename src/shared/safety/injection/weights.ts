/** The classifier's weights, unpacked when a tenant's policy first asks for them. trained-weights.ts is written by `node dev/train-injection.ts`. */
import { featureCount } from "./features.ts";
import type { InjectionChannel } from "./injection-policy.ts";
import { unpackWeights } from "./packed-weights.ts";
import { trainedWeights } from "./trained-weights.ts";

export interface ChannelWeights {
  readonly channel: InjectionChannel;
  /** Log-odds of a neutral text, set so that 1 of 200 harmless prompts reaches 0. */
  readonly bias: number;
  /** One for each feature. */
  readonly of: Float32Array;
}

const unpacked = new Map<InjectionChannel, ChannelWeights>();

export function weightsOf(channel: InjectionChannel): ChannelWeights {
  const known = unpacked.get(channel);
  if (known !== undefined) return known;
  const { bias, scale, packed } = trainedWeights[channel];
  const bytes = unpackWeights(packed);
  if (bytes.length !== featureCount)
    throw new Error("trained-weights.ts is of other features: node dev/train-injection.ts");
  const made: ChannelWeights = { channel, bias, of: Float32Array.from(bytes, (byte) => byte * scale) };
  unpacked.set(channel, made);
  return made;
}
