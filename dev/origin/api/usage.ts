/** What did the request cost, in the form that vLLM (with `--enable-prompt-tokens-details`) reports it? */
export function usageJson(promptTokens: number, completionTokens: number, cachedTokens: number): string {
  return (
    `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens + completionTokens},` +
    `"completion_tokens":${completionTokens},"prompt_tokens_details":{"cached_tokens":${cachedTokens}}}`
  );
}

/** On every chunk, for `continuous_usage_stats`: without details, as vLLM leaves them out there. */
export function runningUsageJson(promptTokens: number, completionTokens: number): string {
  return (
    `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens + completionTokens},` +
    `"completion_tokens":${completionTokens}}`
  );
}
