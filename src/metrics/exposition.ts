import type { Metric, Sample, Scaled } from "./metric.ts";

// Prometheus's text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics as text: each family in one piece, with its HELP and TYPE, also where it has no number. */
export function exposition<From>(metrics: readonly Metric<From>[], from: From): string {
  let text = "";
  for (const { name, type, help, labels, read } of metrics) {
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const one of read(from)) text += lines(name, labels, one);
  }
  return text;
}

function lines(name: string, labels: readonly string[], { labels: values, value }: Sample): string {
  const pairs = labels.map((label, i) => `${label}="${escapeValue(values[i] ?? "")}"`);
  return typeof value === "number" ? line(name, pairs, value) : histogramLines(name, pairs, value);
}

/** Buckets are cumulative, and the last one has no bound. */
function histogramLines(name: string, pairs: readonly string[], { histogram, scale }: Scaled): string {
  const { bounds, counts, sum } = histogram;
  let text = "";
  let count = 0;
  for (let at = 0; at < counts.length; at++) {
    count += counts[at] as number;
    const bound = bounds[at];
    const le = bound === undefined ? "+Inf" : number(rounded(bound * scale));
    text += line(`${name}_bucket`, [...pairs, `le="${le}"`], count);
  }
  return text + line(`${name}_sum`, pairs, sum * scale) + line(`${name}_count`, pairs, count);
}

function line(name: string, pairs: readonly string[], value: number): string {
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}\n`;
}

/** A bound stays the same text whatever was multiplied. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

/** Nothing that stands in a label can end it, or its line. */
function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
