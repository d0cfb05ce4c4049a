import type { Result } from "../result.ts";
import type { Spread } from "../statistics.ts";
import { rounded, spreadText } from "../table.ts";
import { peerOf } from "./peer.ts";

interface Column {
  readonly head: string;
  readonly width: number;
  readonly isText?: true;
  readonly text: (result: Result) => string;
}

const FIGURES: readonly Column[] = [
  { head: "unit", width: 10, isText: true, text: ({ unit }) => unit },
  { head: "direct", width: 9, text: ({ figure }) => rounded(figure.direct?.median) },
  { head: "pipe", width: 9, text: ({ figure }) => rounded(figure.pipe?.median) },
  { head: "no witness", width: 10, text: ({ figure }) => rounded(figure.proxy?.median) },
  { head: "witness", width: 9, text: ({ figure }) => rounded(figure.watched?.median) },
];

const SHORT: readonly Column[] = [
  { head: "workload", width: 28, isText: true, text: ({ name }) => name },
  ...FIGURES,
  { head: "ratio", width: 20, text: (result) => spreadText(ratiosOf(result)?.figure) },
  { head: "of CPU", width: 20, text: (result) => spreadText(ratiosOf(result)?.cpu) },
  { head: "", width: 1, isText: true, text: peerText },
];

const LONG: readonly Column[] = [
  { head: "workload", width: 0, isText: true, text: ({ title }) => title },
  ...FIGURES,
  { head: "ratio", width: 0, text: (result) => ratioText(ratiosOf(result)?.figure) },
  { head: "CPU, ratio", width: 0, text: (result) => ratioText(ratiosOf(result)?.cpu) },
  { head: "to", width: 0, isText: true, text: peerText },
];

function ratiosOf(result: Result) {
  const peer = peerOf(result);
  return peer === undefined ? undefined : result.ratios[peer.pair];
}

function peerText(result: Result): string {
  return peerOf(result)?.words ?? "";
}

function ratioText(ratio: Spread | undefined): string {
  return ratio === undefined ? "-" : ratio.median.toFixed(2);
}

export function witnessHead(): string {
  return line(SHORT.map(({ head }) => head));
}

export function witnessRow(result: Result): string {
  return line(SHORT.map(({ text }) => text(result)));
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const { width = 0, isText } = SHORT[i] ?? {};
    return isText ? cell.padEnd(width) : cell.padStart(width);
  });
  return padded.join(" ").trimEnd();
}

/** The same for a document; nothing where nothing was measured. */
export function witnessTable(results: readonly Result[]): string {
  if (results.length === 0) return "";
  const lines = [
    LONG.map(({ head }) => head),
    LONG.map(({ isText }) => (isText ? "---" : "---:")),
    ...results.map((result) => LONG.map(({ text }) => text(result))),
  ];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}
