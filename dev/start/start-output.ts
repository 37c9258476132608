/** The output of `npm start`: the banner, and those of wrangler's lines that matter. */

export const startUsage = `usage: npm start [-- --archive]
       Environment: PORT (8787), DEV_FLEET_PORT (9101, the first of four), ROUTER (service or in-process),
         ORIGIN_URL (a model server) or FLEET (a fleet file) in the dev fleet's place,
         ARCHIVE_PORT (8790) or ARCHIVE_DATABASE_URL with --archive, EDGEWISE_STATE (a folder)`;

/** Drops wrangler's own messages, except the Workers' log lines and possible errors. */
export function tidyLine(printed: string): string | undefined {
  // With several Workers wrangler prefixes lines with the Worker's name, which is useless here.
  const line = printed.replace(/^\[[\w-]+\] (?=\{)/, "");
  if (line.startsWith("{")) return line;
  return /error|warn|✘|▲|exception/i.test(line) && !/wrangler:info/.test(line) ? line : undefined;
}

export function printReady(ready: {
  readonly url: string;
  readonly token: string;
  /** The model of the example. */
  readonly model: string;
  readonly source: string;
  readonly router: string;
  readonly archive: string;
  /** A model whose servers don't answer yet. */
  readonly silentModel: string | null;
}): void {
  const missing =
    ready.silentModel === null
      ? ""
      : `  Waiting  no server of ${ready.silentModel} answers yet: until one does, requests for it get 503 (${ready.url}/health/ready)\n`;
  console.log(`
Edgewise is ready.

  URL      ${ready.url}
  API docs ${ready.url}/docs
  Models   ${ready.source}
  Router   ${ready.router === "service" ? "a Worker of its own (service binding)" : "in process"}
  Archive  ${ready.archive}
${missing}
  Token (demo tenant, user alice, tier pro; another: npm run --silent token -- --tenant demo --user bob)

${ready.token}

  Try it:

curl -N ${ready.url}/v1/chat/completions \\
  -H "Authorization: Bearer ${ready.token}" \\
  -H "Content-Type: application/json" \\
  -d '{"model":"${ready.model}","stream":true,"messages":[{"role":"user","content":"Explain quantum computing"}]}'

  Ctrl-C stops everything.
`);
}
