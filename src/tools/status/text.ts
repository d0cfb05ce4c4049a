import { counted, paint, type Output } from "../output.ts";
import { table } from "../table.ts";
import type { ClientStatus, Status } from "./reading.ts";

type Screen = Pick<Output, "hasColours">;

/** So many clients are listed, those for whom most waits first. */
const MOST_CLIENTS = 20;

/** A status for people. `before`: an earlier one, so many seconds ago, from which rates are told. */
export function statusText(
  status: Status,
  screen: Screen,
  before?: { readonly status: Status; readonly seconds: number },
): string {
  const { version, uptimeSeconds, upstreams, storages, clients, totals } = status;
  const lines = [
    paint(screen, "bold", `zeo-proxy ${version ?? ""}`.trim()) +
      (uptimeSeconds === undefined ? "" : `, up ${durationText(uptimeSeconds)}`),
    "",
    ...headed(
      screen,
      ["upstream", "state", "listens at", "server", "clients", "accepted", "unrepaired"],
      [
        ...upstreams.map((one) => [
          one.name,
          one.state,
          one.listen,
          one.server,
          one.clients,
          one.accepted,
          one.unrepaired,
        ]),
      ],
    ),
  ];
  if (storages.length > 0) {
    const rows = storages.map((one) => [
      one.storage,
      one.server,
      one.witness,
      one.patched,
      one.commits,
      one.foreign,
      one.known,
    ]);
    lines.push("");
    lines.push(
      ...headed(screen, ["storage", "server", "witness", "patched", "commits", "foreign", "last known"], rows),
    );
  }
  if (totals.size > 0) {
    const rows = [...totals].map(([name, count]) => [name, count, rate(name, count, before)]);
    lines.push("", ...headed(screen, ["total", "count", before === undefined ? "" : "a second"], rows));
  }
  if (clients.length > 0) lines.push("", ...clientLines(clients, screen));
  return `${lines.join("\n")}\n`;
}

function headed(screen: Screen, head: string[], rows: (string | number | undefined)[][]): string[] {
  const [first = "", ...rest] = table(head, rows);
  return [paint(screen, "dim", first), ...rest.map((line) => coloured(screen, line))];
}

/** A state that wants to be seen. */
function coloured(screen: Screen, line: string): string {
  return line.replace(/\b(?:down|trouble|blocked|full|away)\b(?= {2})/, (state) => paint(screen, "red", state));
}

function clientLines(clients: readonly ClientStatus[], screen: Screen): string[] {
  const sorted = [...clients].sort((a, b) => (b.waitingBytes ?? 0) - (a.waitingBytes ?? 0));
  const rows = sorted
    .slice(0, MOST_CLIENTS)
    .map((one) => [
      one.client,
      one.upstream,
      one.storage,
      one.protocol,
      one.ageSeconds === undefined ? undefined : durationText(one.ageSeconds),
      one.receivedBytes,
      one.sentBytes,
      one.waitingBytes,
    ]);
  const head = ["client", "upstream", "storage", "protocol", "age", "received", "sent", "waiting"];
  const more = clients.length - rows.length;
  return [...headed(screen, head, rows), ...(more > 0 ? [`... and ${counted(more, "client")} more`] : [])];
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
