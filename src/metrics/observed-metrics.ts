import { sample, type Metric, type Sample } from "./metric.ts";
import type { Reading } from "./reading.ts";
import { LABELS, repairedIn, repairsOf } from "./storage-metrics.ts";
import type { StorageReading } from "./storage-reading.ts";

function each(read: (storage: StorageReading) => number | undefined) {
  return ({ shadows }: Reading): Sample[] =>
    shadows.flatMap((one) => {
      const value = read(one);
      return value === undefined ? [] : [sample(value, one.server, one.storage)];
    });
}

/** What clients that are observed (`repair: observe`) have shown of each storage, and would have led to if they were repaired. */
export const OBSERVED_METRICS: readonly Metric<Reading>[] = [
  {
    name: "zeo_proxy_observed_commits_total",
    type: "counter",
    help: "Commits of clients that are observed; they are not in zeo_proxy_commits_total.",
    labels: LABELS,
    read: each(({ commits }) => commits),
  },
  {
    name: "zeo_proxy_observed_foreign_commits_total",
    type: "counter",
    help: "Commits that were seen beside them, and that no observed client has made.",
    labels: LABELS,
    read: each(({ foreign }) => foreign),
  },
  {
    name: "zeo_proxy_observed_repairs_total",
    type: "counter",
    help: "Messages to observed clients that would have been repaired, by kind, and by who has committed.",
    labels: [...LABELS, "kind", "source"],
    read: ({ shadows }) => repairsOf(shadows),
  },
  {
    name: "zeo_proxy_observed_repaired_transactions_total",
    type: "counter",
    help: "Transactions that would have been repaired for at least one client, by who has committed.",
    labels: [...LABELS, "source"],
    read: ({ shadows }) => repairedIn(shadows),
  },
  {
    name: "zeo_proxy_observed_oids_added_total",
    type: "counter",
    help: "Oids that would have been added, once for each transaction.",
    labels: LABELS,
    read: each(({ oidsAdded }) => oidsAdded),
  },
  {
    name: "zeo_proxy_observed_resumes_refused_total",
    type: "counter",
    help: "getInvalidations of observed clients that would have been answered None.",
    labels: LABELS,
    read: each(({ resumesRefused }) => resumesRefused),
  },
  {
    name: "zeo_proxy_observed_setbacks_total",
    type: "counter",
    help: "How often observed clients have shown that the server's last transaction was older than a known one.",
    labels: LABELS,
    read: each(({ setbacks }) => setbacks),
  },
  {
    name: "zeo_proxy_observed_witness_up",
    type: "gauge",
    help: "The same as zeo_proxy_witness_up, of the witness that observed clients have.",
    labels: LABELS,
    read: each(({ isMany, isWitnessUp }) => (isMany || isWitnessUp === undefined ? undefined : Number(isWitnessUp))),
  },
];
