import { sample, type Metric, type Sample } from "./metric.ts";
import type { Reading, UpstreamReading } from "./reading.ts";

const STATES = ["starting", "listening", "down", "full", "trouble", "blocked", "stopped"] as const;

/** One or more numbers of each upstream; the first label is its name. */
function each(read: (upstream: UpstreamReading) => readonly (readonly [...labels: string[], value: number])[]) {
  return ({ upstreams }: Reading): Sample[] =>
    upstreams.flatMap((upstream) =>
      read(upstream).map((row) => {
        const labels = row.slice(0, -1) as string[];
        return sample(row.at(-1) as number, upstream.name, ...labels);
      }),
    );
}

function entries(
  counts: Readonly<Record<string, number>> | ReadonlyMap<string, number>,
): (readonly [string, number])[] {
  return counts instanceof Map ? [...counts] : Object.entries(counts as Readonly<Record<string, number>>);
}

/** What there is of each upstream. Its name comes from the configuration, and every other label from here. */
export const UPSTREAM_METRICS: readonly Metric<Reading>[] = [
  {
    name: "zeo_proxy_upstream_up",
    type: "gauge",
    help: "1 if the server answers as far as the proxy knows (states listening and full), else 0.",
    labels: ["upstream"],
    read: each(({ state }) => [[state === "listening" || state === "full" ? 1 : 0]]),
  },
  {
    name: "zeo_proxy_upstream_state",
    type: "gauge",
    help: "1 for the state that the upstream is in, 0 for the others.",
    labels: ["upstream", "state"],
    read: each(({ state }) => STATES.map((one) => [one, one === state ? 1 : 0] as const)),
  },
  {
    name: "zeo_proxy_server_changes_total",
    type: "counter",
    help: "How often another one of servers has taken the place of the one that was down.",
    labels: ["upstream"],
    read: each(({ moves }) => [[moves]]),
  },
  {
    name: "zeo_proxy_sessions",
    type: "gauge",
    help: "Clients now, by the state of their session; waiting: its server is being dialled, or is not there.",
    labels: ["upstream", "state"],
    read: each(({ sessions }) => entries(sessions)),
  },
  {
    name: "zeo_proxy_clients_accepted_total",
    type: "counter",
    help: "Client connections that were accepted.",
    labels: ["upstream"],
    read: each(({ accepted }) => [[accepted]]),
  },
  {
    name: "zeo_proxy_clients_refused_total",
    type: "counter",
    help: "Client connections that were closed before they had a session, by reason; no-server: there was no server in time.",
    labels: ["upstream", "reason"],
    read: each(({ refused }) => entries(refused)),
  },
  {
    name: "zeo_proxy_upstream_repairs",
    type: "gauge",
    help: "1 if its clients are repaired, 0 if it only observes (repair: observe).",
    labels: ["upstream"],
    read: each(({ isRepaired }) => [[Number(isRepaired)]]),
  },
  {
    name: "zeo_proxy_observed_sessions",
    type: "gauge",
    help: "Clients that are observed now: their bytes are relayed as they come.",
    labels: ["upstream"],
    read: each(({ observed }) => [[observed]]),
  },
  {
    name: "zeo_proxy_observed_sessions_ended_total",
    type: "counter",
    help: "Sessions of observed clients that would have been ended if they were repaired, by code.",
    labels: ["upstream", "code"],
    read: each(({ observedEnded }) => entries(observedEnded)),
  },
  {
    name: "zeo_proxy_received_bytes_total",
    type: "counter",
    help: "Bytes that were read from clients and from the server.",
    labels: ["upstream", "from"],
    read: each(({ traffic }) => [
      ["client", traffic.fromClients],
      ["server", traffic.fromServer],
    ]),
  },
  {
    name: "zeo_proxy_sent_bytes_total",
    type: "counter",
    help: "Bytes that the network has taken, to clients and to the server.",
    labels: ["upstream", "to"],
    read: each(({ traffic }) => [
      ["client", traffic.toClients],
      ["server", traffic.toServer],
    ]),
  },
  {
    name: "zeo_proxy_messages_total",
    type: "counter",
    help: "Messages that were read from clients and from the server, by class. What is relayed byte for byte is not counted.",
    labels: ["upstream", "from", "class"],
    read: each(({ fromClients, fromServer }) => [
      ...entries(fromClients).map(([sort, count]) => ["client", sort, count] as const),
      ...entries(fromServer).map(([sort, count]) => ["server", sort, count] as const),
    ]),
  },
  {
    name: "zeo_proxy_sessions_ended_total",
    type: "counter",
    help: "Sessions that the proxy itself has ended, by code.",
    labels: ["upstream", "code"],
    read: each(({ ended }) => entries(ended)),
  },
  {
    name: "zeo_proxy_sessions_relayed_total",
    type: "counter",
    help: "Sessions that were relayed byte for byte, unrepaired, by reason.",
    labels: ["upstream", "reason"],
    read: each(({ relayed }) => entries(relayed)),
  },
];
