import type { Result } from "./result.ts";
import type { Spread } from "./statistics.ts";
import { rounded } from "./table.ts";

const HEAD = [
  "workload",
  "unit",
  "direct",
  "HAProxy",
  "pipe",
  "proxy",
  "proxy : pipe",
  "CPU, pipe",
  "CPU, proxy",
  "CPU, proxy : pipe",
  "wait, proxy : HAProxy",
  "CPU, proxy : HAProxy",
];

/** The results as a table for a document. */
export function markdownTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { title, unit, figure, cpu, ratios } = result;
    const pipe = ratios["proxy:pipe"];
    const haproxy = ratios["proxy:haproxy"];
    return [
      title,
      unit,
      ...[figure.direct, figure.haproxy, figure.pipe, figure.proxy].map((spread) => rounded(spread?.median)),
      ratio(pipe?.figure),
      rounded(cpu.pipe?.median),
      rounded(cpu.proxy?.median),
      ratio(pipe?.cpu),
      ratio(haproxy?.p50 ?? haproxy?.figure),
      ratio(haproxy?.cpu),
    ];
  });
  const lines = [HEAD, HEAD.map((_, i) => (i < 2 ? "---" : "---:")), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function ratio(spread: Spread | undefined): string {
  return spread === undefined ? "-" : spread.median.toFixed(2);
}
