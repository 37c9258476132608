/** Tokens of one generation, as the engine counted them. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** The part of the prompt that the engine's prefix cache had. */
  readonly cachedTokens: number;
  /** Of the completion's, those spent on reasoning. */
  readonly reasoningTokens: number;
}

/** How the counts were come by. `exact`: the engine said so; `counted`: one per event that carried a token; `estimated`: neither. */
export type UsageBasis = "exact" | "counted" | "estimated";
