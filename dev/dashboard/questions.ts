/** The dashboard's queries in PromQL: rates over Grafana's rate interval, quantiles over five minutes. */
export interface Question {
  readonly expr: string;
  /** `{{label}}` is replaced by the label's value. */
  readonly legend: string;
}

export function ask(expr: string, legend: string): Question {
  return { expr, legend };
}

export function rate(metric: string, matchers = "", range = "$__rate_interval"): string {
  return `rate(edgewise_${metric}${matchers === "" ? "" : `{${matchers}}`}[${range}])`;
}

export function increase(metric: string, range: string): string {
  return `increase(edgewise_${metric}[${range}])`;
}

export function rateBy(labels: readonly string[], metric: string, matchers?: string): Question {
  return ask(`sum by (${labels.join(", ")}) (${rate(metric, matchers)})`, shown(labels));
}

export function quantile(
  share: number,
  metric: string,
  labels: readonly string[],
  matchers?: string,
): string {
  return `histogram_quantile(${share}, sum by (${[...labels, "le"].join(", ")}) (${rate(`${metric}_bucket`, matchers, "5m")}))`;
}

export function quantileBy(
  share: number,
  labels: readonly string[],
  metric: string,
  matchers?: string,
): Question {
  return ask(quantile(share, metric, labels, matchers), shown(labels));
}

export function gauge(name: string): Question {
  return ask(`edgewise_fleet_${name}`, shown(["cluster", "model"]));
}

export function hitsOf(result: string, legend: string): Question {
  const all = rate("cache_total", 'result!="bypass"', "1h");
  return ask(`sum(${rate("cache_total", `result="${result}"`, "1h")}) / sum(${all})`, legend);
}

function shown(labels: readonly string[]): string {
  return labels.map((label) => `{{${label}}}`).join(" ");
}
