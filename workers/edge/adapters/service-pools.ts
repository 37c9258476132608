/** The pools of the router Worker, over its service binding: what `/admin/fleet` and `/metrics` ask. */
import type { PoolSite } from "../../../src/shared/routing/pool/pool-site.ts";
import type { PoolControl } from "../../../src/shared/routing/pool/pool-action.ts";

const base = "http://origin-router";
const timeoutMs = 3000;

export function servicePools(binding: Pick<Fetcher, "fetch">): PoolControl {
  const call = async <T>({ id, latitude, longitude }: PoolSite, init: RequestInit): Promise<T> => {
    const query = new URLSearchParams({
      cluster: id,
      latitude: String(latitude),
      longitude: String(longitude),
    });
    const url = `${base}/pool?${query.toString()}`;
    const response = await binding.fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`the router answered ${response.status}: ${await response.text()}`);
    return response.json<T>();
  };
  return {
    status: (site) => call(site, {}),
    act: (site, action) => call(site, { method: "POST", body: JSON.stringify(action) }),
  };
}
