import { METRICS as ALL } from "../../src/metrics/all-metrics.ts";

/** Every metric that the proxy has, with its labels. */
export const METRICS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  ALL.map(({ name, labels }) => [name, labels]),
);

/** Those that have `_bucket`, `_sum` and `_count`. */
const DISTRIBUTIONS = ALL.flatMap(({ name, type }) => (type === "histogram" ? [name] : []));

/** What Prometheus adds by itself. */
const OF_PROMETHEUS = ["job", "instance", "le"];

/** What is wrong with the names in an expression: metrics that there are not, and labels that theirs have not. */
export function unknownIn(expression: string): string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  const metrics = [...bare.matchAll(/\b(?:zeo_proxy|process)_\w+|\bup\b/g)].map(([name]) => name);
  if (metrics.length === 0) return [`no metric in ${expression}`];
  const labels = [...bare.matchAll(/\bby \(([^)]*)\)/g), ...bare.matchAll(/\{([^}]*)\}/g)]
    .flatMap(([, list = ""]) => list.split(","))
    .map((one) => /\w+/.exec(one)?.[0])
    .filter((one) => one !== undefined);
  const known = new Set([...OF_PROMETHEUS, ...metrics.flatMap((name) => METRICS[baseOf(name)] ?? [])]);
  return [
    ...metrics.filter((name) => name !== "up" && !(baseOf(name) in METRICS)),
    ...labels.filter((label) => !known.has(label)),
  ];
}

function baseOf(name: string): string {
  const base = name.replace(/_(?:bucket|sum|count)$/, "");
  return DISTRIBUTIONS.includes(base) ? base : name;
}
