import type { Ratio, Result } from "./result.ts";
import type { Spread } from "./statistics.ts";

interface Column {
  readonly head: string;
  readonly width: number;
  readonly isLeft?: true;
  readonly text: (result: Result) => string;
}

const COLUMNS: readonly Column[] = [
  { head: "workload", width: 15, isLeft: true, text: ({ name }) => name },
  { head: "unit", width: 9, isLeft: true, text: ({ unit }) => unit },
  { head: "direct", width: 8, text: ({ figure }) => rounded(figure.direct?.median) },
  { head: "HAProxy", width: 8, text: ({ figure }) => rounded(figure.haproxy?.median) },
  { head: "pipe", width: 8, text: ({ figure }) => rounded(figure.pipe?.median) },
  { head: "proxy", width: 8, text: ({ figure }) => rounded(figure.proxy?.median) },
  { head: "proxy:pipe", width: 18, text: ({ ratios }) => spreadText(ratios["proxy:pipe"]?.figure) },
  { head: "CPU pipe", width: 8, text: ({ cpu }) => rounded(cpu.pipe?.median) },
  { head: "proxy", width: 8, text: ({ cpu }) => rounded(cpu.proxy?.median) },
  { head: "CPU proxy:pipe", width: 18, text: ({ ratios }) => spreadText(ratios["proxy:pipe"]?.cpu) },
  { head: "p50:HAProxy", width: 11, text: ofHaproxy },
  { head: "CPU", width: 8, text: ({ ratios }) => ratioText(ratios["proxy:haproxy"]?.cpu) },
  { head: "goals", width: 1, isLeft: true, text: goalsText },
];

export function tableHead(): string {
  return line(COLUMNS.map(({ head }) => head));
}

/** A workload's line, and one more for what has no column: the 99th percentiles, peaks of memory. */
export function tableRow(result: Result): string {
  const { p99, peakMiB } = result;
  const lines = [line(COLUMNS.map(({ text }) => text(result)))];
  if (p99 !== undefined)
    lines.push(line(["", "  p99", ...[p99.direct, p99.haproxy, p99.pipe, p99.proxy].map(rounded)]));
  if (peakMiB !== undefined) {
    lines.push(line(["", "  peak MiB", "", ...[peakMiB.haproxy, peakMiB.pipe, peakMiB.proxy].map(rounded)]));
  }
  const [ofPipe, ofBare] = [result.ratios["bare:pipe"], result.ratios["proxy:bare"]];
  if (ofPipe !== undefined) {
    const words = (ratio: Ratio | undefined): string => `${ratioText(ratio?.figure)}, CPU ${ratioText(ratio?.cpu)}`;
    lines.push(`  bare: ${words(ofPipe)} of the pipe's; the proxy ${words(ofBare)} of its`);
  }
  return lines.join("\n");
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const { width = 0, isLeft } = COLUMNS[i] ?? {};
    return isLeft ? cell.padEnd(width) : cell.padStart(width);
  });
  return padded.join(" ").trimEnd();
}

/** How long a client waits, also where the figure is a rate. */
function ofHaproxy({ ratios }: Result): string {
  return ratioText(ratios["proxy:haproxy"]?.p50 ?? ratios["proxy:haproxy"]?.figure);
}

function goalsText({ goals }: Result): string {
  return goals.map(({ words, isMet }) => `${words} ${isMet ? "met" : "MISSED"}`).join(", ");
}

/** Three digits, or all before the point. */
export function rounded(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function ratioText(ratio: Spread | undefined): string {
  return ratio === undefined ? "-" : ratio.median.toFixed(2);
}

export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return "-";
  return `${spread.median.toFixed(2)} [${spread.min.toFixed(2)} - ${spread.max.toFixed(2)}]`;
}
