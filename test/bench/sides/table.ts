import type { Ratio, Result } from "../result.ts";
import { rounded, spreadText } from "../table.ts";
import { SIDES, type Side } from "../ways.ts";

const NAMES: Readonly<Record<Side, string>> = {
  "looked-at": "admin, looked at",
  tls: "TLS with clients",
  "tls-both": "TLS on both sides",
};

function ratioOf({ ratios }: Result, side: Side): Ratio {
  return ratios[`${side}:proxy`] ?? {};
}

/** A workload's lines: of each side its figure and its CPU time, as ratios to the proxy without. */
export function sideRows(result: Result): string {
  const { name, unit, figure, cpu } = result;
  const plain = `${name}: proxy ${rounded(figure.proxy?.median)} ${unit}, CPU ${rounded(cpu.proxy?.median)} µs/message`;
  const lines = SIDES.map((side) => {
    const { figure: value, cpu: time } = ratioOf(result, side);
    return `  ${NAMES[side].padEnd(18)} ${spreadText(value).padStart(20)}   CPU ${spreadText(time).padStart(20)}`;
  });
  return [plain, ...lines].join("\n");
}

/** The same for a document; nothing where nothing was measured. */
export function sideTable(results: readonly Result[]): string {
  if (results.length === 0) return "";
  const text = (ratio: Ratio): string =>
    `${ratio.figure?.median.toFixed(2) ?? "-"} | ${ratio.cpu?.median.toFixed(2) ?? "-"}`;
  const head = ["workload", "unit", "proxy", ...SIDES.flatMap((side) => [NAMES[side], "CPU"])];
  const lines = [
    head.join(" | "),
    head.map((_, n) => (n < 2 ? "---" : "---:")).join(" | "),
    ...results.map((result) =>
      [
        result.title,
        result.unit,
        rounded(result.figure.proxy?.median),
        ...SIDES.map((side) => text(ratioOf(result, side))),
      ].join(" | "),
    ),
  ];
  return `${lines.map((line) => `| ${line} |`).join("\n")}\n`;
}
