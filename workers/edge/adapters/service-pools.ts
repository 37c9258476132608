/** The pools of the router Worker, over its service binding: what `/admin/fleet` and `/metrics` ask. */
import type { PoolControl } from "../../../src/shared/routing/pool/pool-action.ts";

const base = "http://origin-router";
const timeoutMs = 3000;

export function servicePools(binding: Pick<Fetcher, "fetch">): PoolControl {
  const call = async <T>(path: string, cluster: string, init: RequestInit): Promise<T> => {
    const url = `${base}${path}?cluster=${encodeURIComponent(cluster)}`;
    const response = await binding.fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`the router answered ${response.status}: ${await response.text()}`);
    return response.json<T>();
  };
  return {
    status: (cluster) => call("/pool", cluster, {}),
    act: (cluster, action) => call("/pool", cluster, { method: "POST", body: JSON.stringify(action) }),
  };
}
