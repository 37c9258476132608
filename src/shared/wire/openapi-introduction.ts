/** The first page of the API's description: what holds for every route. In Markdown, for `info.description`. */

export const introduction = `\
A chat API that runs in every Cloudflare location and answers from your own GPU clusters. It speaks the OpenAI API: set \`baseURL\` to this \
host's \`/v1\` and \`apiKey\` to your token or API key, and existing clients work unchanged.

## Errors
Every error is OpenAI's: \`{"error": {"message", "type", "param", "code"}}\`. \`message\` says what to do, \`param\` which field is meant, if one is. \
\`x-request-id\` names the request in our log: send it with a question.

| status | \`code\` |
| --- | --- |
| 400 | \`invalid_json\`, \`invalid_value\`, \`unknown_parameter\`, \`unsupported_parameter\`, \`context_length_exceeded\`, \`content_policy_violation\`, \`request_rejected\`, \`invalid_url\` |
| 401 | \`invalid_api_key\`, \`invalid_token\`, \`invalid_signature\` |
| 403 | \`insufficient_scope\`, \`request_blocked\` |
| 404 | \`unknown_url\`, \`model_not_found\`, \`not_found\`: there is none, or it is not yours |
| 405, 415 | \`method_not_allowed\`, \`unsupported_media_type\` |
| 408 | \`request_cancelled\`: the client closed the connection |
| 409 | \`conflict\` |
| 413, 414, 431 | \`request_too_large\`, \`url_too_long\`, \`headers_too_large\` |
| 422 | \`idempotency_key_reused\` |
| 429 | \`rate_limit_exceeded\`, \`insufficient_quota\` |
| 500 | \`internal_error\` |
| 503 | \`service_unavailable\`, \`overloaded\` |
| 504 | \`deadline_exceeded\`, \`no_stored_answer\` |

Ask again after 429, 500 and 503, when \`Retry-After\` (or \`retry-after-ms\`) says, as OpenAI's clients do by themselves; not where the answer \
has \`x-should-retry: false\`. A stream that breaks after its first byte ends with one event that holds the error, and without \`[DONE]\`. With an \
\`Idempotency-Key\` the same request again is the same answer, and is paid once.

## Limits
Requests and tokens are limited by user and by org, over minutes, hours, days and months. \`x-ratelimit-limit-*\`, \`-remaining-*\` and \`-reset-*\` \
(\`requests\`, \`tokens\`) tell of the limit that is nearest, \`x-ratelimit-window-*\` which that is. 429 \`rate_limit_exceeded\` is over in a moment, \
\`insufficient_quota\` when the day or the month is. \`GET /v1/usage\` shows all of your limits, and what is left of each.
`;
