import type { Result, Run } from "./result.ts";

const ROW = 26;
const BAR = 9;
const LABEL_WIDTH = 250;
const PLOT_WIDTH = 460;
const TOP = 64;
const BOTTOM = 44;
const VALUE_WIDTH = 60;
/** The bars end here, and say what they are. */
const MOST = 2;

const COST_COLOR = "#4a7ab5";
const CPU_COLOR = "#c9d7e8";

/**
 * What the proxy costs, for each workload beside what a plain pipe costs: its clients' time, and the relay's processor time.
 * A rate is turned over, so that shorter is better everywhere.
 */
export function chart({ date, revision, node, cpu, results }: Run): string {
  const rows = results.filter(({ ratios }) => ratios["proxy:pipe"]?.figure !== undefined);
  const height = TOP + rows.length * ROW + BOTTOM;
  const width = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH;
  const bottom = TOP + rows.length * ROW;
  const ticks = [0, 0.5, 1, 1.5, 2].map((value) => {
    const color = value === 1 ? "#b03030" : "#e2e2e2";
    return (
      `<line x1="${x(value)}" x2="${x(value)}" y1="${TOP - 4}" y2="${bottom}" stroke="${color}"/>` +
      text(x(value), bottom + 16, String(value), "middle", "#666")
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(12, 22, "What zeo-proxy costs, where a plain Node pipe costs 1 (shorter is better)", "start", "#222", 15),
    legend(12, 44, COST_COLOR, "time that clients wait"),
    legend(190, 44, CPU_COLOR, "processor time of the relay"),
    ...ticks,
    ...rows.map((result, i) => row(result, TOP + i * ROW)),
    text(width - 12, height - 8, `${date}, ${revision}, Node ${node}, ${cpu}`, "end", "#888", 10),
    "</svg>\n",
  ].join("\n");
}

function row({ title, lessIsBetter, ratios }: Result, top: number): string {
  const { figure, cpu } = ratios["proxy:pipe"] ?? {};
  const cost = figure === undefined ? undefined : lessIsBetter ? figure.median : 1 / figure.median;
  return [
    text(LABEL_WIDTH - 10, top + 15, title, "end", "#222"),
    bar(cost, top + 2, COST_COLOR),
    bar(cpu?.median, top + 2 + BAR + 1, CPU_COLOR),
  ].join("");
}

function bar(value: number | undefined, top: number, color: string): string {
  if (value === undefined || !Number.isFinite(value)) return "";
  const end = x(Math.min(value, MOST));
  const rectangle = `<rect x="${x(0)}" y="${top}" width="${end - x(0)}" height="${BAR}" fill="${color}"/>`;
  return rectangle + text(end + 4, top + BAR - 1, value.toFixed(2), "start", "#444", 10);
}

function legend(left: number, baseline: number, color: string, words: string): string {
  const rectangle = `<rect x="${left}" y="${baseline - BAR}" width="14" height="${BAR}" fill="${color}"/>`;
  return rectangle + text(left + 20, baseline, words, "start", "#444");
}

function x(value: number): number {
  return LABEL_WIDTH + Math.round((value * PLOT_WIDTH) / MOST);
}

function text(left: number, baseline: number, words: string, anchor: string, color: string, size?: number): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const sized = size === undefined ? "" : ` font-size="${size}"`;
  return `<text x="${left}" y="${baseline}" text-anchor="${anchor}" fill="${color}"${sized}>${escaped}</text>`;
}
