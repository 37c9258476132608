/** The usage in the form of vLLM (with `--enable-prompt-tokens-details`). */
export function usageJson(promptTokens: number, completionTokens: number, cachedTokens: number): string {
  return (
    `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens + completionTokens},` +
    `"completion_tokens":${completionTokens},"prompt_tokens_details":{"cached_tokens":${cachedTokens}}}`
  );
}

/** The usage on every chunk for `continuous_usage_stats`, without details, as in vLLM. */
export function runningUsageJson(promptTokens: number, completionTokens: number): string {
  return (
    `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens + completionTokens},` +
    `"completion_tokens":${completionTokens}}`
  );
}
