import { counted, paint, type Output } from "../output.ts";
import { table } from "../table.ts";
import type { Status, StorageStatus, UpstreamStatus } from "./reading.ts";

type Screen = Pick<Output, "hasColours">;

/** So many clients are listed, those for whom most waits first. */
const MOST_CLIENTS = 20;

/** A status for people. `before`: an earlier one, so many seconds ago, from which rates are told. */
export function statusText(
  status: Status,
  screen: Screen,
  before?: { readonly status: Status; readonly seconds: number },
): string {
  const { version, state, uptimeSeconds, totals } = status;
  const up = uptimeSeconds === undefined ? "" : `, up ${durationText(uptimeSeconds)}`;
  const since = state === undefined || state === "running" ? "" : `, ${state}`;
  const rows = [...totals].map(([name, count]) => [name, count, rate(name, count, before)]);
  const parts = [
    [paint(screen, "bold", `zeo-proxy ${version ?? ""}`.trim()) + up + since],
    upstreamLines(status.upstreams, screen),
    storageLines(
      status.storages.filter(({ isObserved }) => !isObserved),
      ["storage", "repaired", "oids added"],
      screen,
    ),
    storageLines(
      status.storages.filter(({ isObserved }) => isObserved),
      ["observed storage", "would be repaired", "oids to add"],
      screen,
    ),
    rows.length === 0 ? [] : headed(screen, ["total", "count", before === undefined ? "" : "a second"], rows),
    clientLines(status, screen),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function upstreamLines(upstreams: readonly UpstreamStatus[], screen: Screen): string[] {
  const head = ["upstream", "state", "repair", "listens at", "server", "clients", "accepted", "refused", "unrepaired"];
  const rows = upstreams.map((one) => [
    one.name,
    one.state,
    one.repair,
    one.listen,
    one.server,
    one.clients,
    one.accepted,
    one.refused,
    one.unrepaired,
  ]);
  const reasons = upstreams.filter(({ reason }) => reason !== undefined);
  return [...headed(screen, head, rows), ...reasons.map(({ name, reason }) => `${name} accepts nobody: ${reason}`)];
}

function storageLines(
  storages: readonly StorageStatus[],
  [name, repaired, added]: readonly [string, string, string],
  screen: Screen,
): string[] {
  if (storages.length === 0) return [];
  const rows = storages.map((one) => [
    one.storage,
    one.server,
    one.witness,
    one.patched,
    one.commits,
    one.foreign,
    one.repaired,
    one.oidsAdded,
    one.lastTid,
  ]);
  const head = [name, "server", "witness", "patched", "commits", "foreign", repaired, added, "last tid"];
  return headed(screen, head, rows);
}

function headed(screen: Screen, head: string[], rows: (string | number | undefined)[][]): string[] {
  const [first = "", ...rest] = table(head, rows);
  return [paint(screen, "dim", first), ...rest.map((line) => coloured(screen, line))];
}

/** A state that wants to be seen. */
function coloured(screen: Screen, line: string): string {
  return line.replace(/\b(?:down|trouble|blocked|full|away)\b(?= {2})/, (state) => paint(screen, "red", state));
}

function clientLines({ clients, upstreams }: Status, screen: Screen): string[] {
  if (clients.length === 0) return [];
  const sorted = [...clients].sort((a, b) => (b.waitingBytes ?? 0) - (a.waitingBytes ?? 0));
  const rows = sorted
    .slice(0, MOST_CLIENTS)
    .map((one) => [
      one.client,
      one.upstream,
      one.state,
      one.storage,
      one.protocol,
      one.ageSeconds === undefined ? undefined : durationText(one.ageSeconds),
      one.receivedBytes,
      one.sentBytes,
      one.waitingBytes,
      one.repairs,
    ]);
  const names = ["client", "upstream", "state", "storage", "protocol", "age", "received", "sent", "waiting", "repairs"];
  const more = upstreams.reduce((all, { omitted }) => all + omitted, clients.length - rows.length);
  return [...headed(screen, names, rows), ...(more > 0 ? [`... and ${counted(more, "client")} more`] : [])];
}

function rate(
  name: string,
  count: number,
  before: { readonly status: Status; readonly seconds: number } | undefined,
): string {
  const earlier = before?.status.totals.get(name);
  if (before === undefined || earlier === undefined || before.seconds <= 0) return "";
  const perSecond = (count - earlier) / before.seconds;
  return perSecond === 0 ? "" : perSecond.toFixed(1);
}

/** `3 d 4 h`, `12 min 5 s`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}
