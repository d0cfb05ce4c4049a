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

/** The results as a table for a document; nothing where there are none. */
export function markdownTable(results: readonly Result[]): string {
  if (results.length === 0) return "";
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
  return tableOf(HEAD, 2, rows);
}

const BARE_HEAD = ["workload", "bare : pipe", "proxy : bare", "CPU, bare : pipe", "CPU, proxy : bare"];

/** How near the proxy comes to its sockets with nothing between them; nothing where that was not measured. */
export function bareTable(results: readonly Result[]): string {
  const rows = results.flatMap(({ title, ratios }) => {
    const [ofPipe, ofBare] = [ratios["bare:pipe"], ratios["proxy:bare"]];
    if (ofPipe === undefined || ofBare === undefined) return [];
    return [[title, ...[ofPipe.figure, ofBare.figure, ofPipe.cpu, ofBare.cpu].map(ratio)]];
  });
  return rows.length === 0 ? "" : tableOf(BARE_HEAD, 1, rows);
}

/** `words`: so many columns at its left are no figures. */
function tableOf(head: readonly string[], words: number, rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, i) => (i < words ? "---" : "---:")), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function ratio(spread: Spread | undefined): string {
  return spread === undefined ? "-" : spread.median.toFixed(2);
}
