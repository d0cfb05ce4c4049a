import { NO_TID, tidHex } from "../../wire/ids.ts";
import type { Probe, StorageProbe } from "./probe.ts";
import { milliseconds } from "./report.ts";

/** When the round trip is too long, in ms; undefined: never. */
export interface Thresholds {
  readonly warningMs: number | undefined;
  readonly criticalMs: number | undefined;
}

const STATES = ["OK", "WARNING", "CRITICAL"] as const;

/** A certificate that ends so soon wants to be renewed. */
const SOON_MS = 14 * 24 * 3_600_000;

/**
 * One line for a monitor, and its exit status: 0 OK, 1 WARNING, 2 CRITICAL (Nagios plugin guidelines; 3, UNKNOWN, is the
 * command's, for a wrong use of it). Behind the bar: performance data.
 * @param nowMs milliseconds since 1970
 */
export function nagios(
  found: Probe,
  { warningMs, criticalMs }: Thresholds,
  nowMs: number,
): [line: string, status: number] {
  const { address, look: seen, problems } = found;
  if (problems.length > 0) return [lineOf(2, `${address}: ${problems.join("; ")}`, []), 2];
  const good = found.storages.filter((one) => one.ok);
  const slowest = Math.max(0, ...good.map(({ roundTripMs: [, median] }) => median));
  const states: [number, string][] = [];
  const slow = `round trip ${milliseconds(slowest)}`;
  if (criticalMs !== undefined && slowest >= criticalMs) states.push([2, slow]);
  else if (warningMs !== undefined && slowest >= warningMs) states.push([1, slow]);
  const validTo = seen.kind === "zeo" ? seen.tls?.validTo : undefined;
  if (validTo !== undefined && Date.parse(validTo) - nowMs < SOON_MS) {
    states.push([Date.parse(validTo) < nowMs ? 2 : 1, `the certificate ends ${validTo.slice(0, 10)}`]);
  }
  const status = Math.max(0, ...states.map(([one]) => one));
  const announced = seen.kind === "zeo" ? seen.announced : "";
  const why = states.map(([, text]) => text).join("; ");
  const rest = good.map(storageText).join("; ");
  const text = [why, `${announced} at ${address}`, rest].filter((part) => part !== "").join("; ");
  const limits = [warningMs, criticalMs].map((ms) => (ms === undefined ? "" : seconds(ms)));
  return [lineOf(status, text, [`rtt=${seconds(slowest)}s;${limits.join(";")};0`]), status];
}

function storageText(one: Extract<StorageProbe, { ok: true }>): string {
  const { storage, last, patched } = one;
  const newest = last === NO_TID ? "empty" : tidHex(last);
  const text = `storage ${JSON.stringify(storage)} ${newest}`;
  return patched === undefined ? text : `${text}, patched ${patched.patched}`;
}

/** The line for a check that could not be made, and why; status 3. */
export function unknownLine(why: string): string {
  return lineOf(3, why.replace(/^error: /, ""), []);
}

/** A bar would begin the performance data. */
function lineOf(status: number, text: string, data: readonly string[]): string {
  const line = `ZEO ${STATES[status] ?? "UNKNOWN"} - ${text.replaceAll("|", "/").replaceAll(/\s+/g, " ")}`;
  return `${data.length === 0 ? line : `${line} | ${data.join(" ")}`}\n`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(6).replace(/0+$/, "").replace(/\.$/, "");
}
