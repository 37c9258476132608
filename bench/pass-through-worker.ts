/** The yardstick: the least that a Worker in front of an engine can do. */
export default {
  fetch: (request: Request, env: { readonly ORIGIN: string }): Promise<Response> =>
    fetch(env.ORIGIN + new URL(request.url).pathname, request),
};
