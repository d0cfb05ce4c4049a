import { tidTimeMs } from "../wire/ids.ts";
import { sample, type Metric, type Sample, type Scaled } from "./metric.ts";
import type { Reading } from "./reading.ts";
import type { StorageReading } from "./storage-reading.ts";

const SECONDS = 0.001;
export const LABELS = ["server", "storage"] as const;

/** A number of each storage that has it. */
function each(read: (storage: StorageReading) => number | Scaled | undefined) {
  return ({ storages }: Reading): Sample[] =>
    storages.flatMap((one) => {
      const value = read(one);
      return value === undefined ? [] : [sample(value, one.server, one.storage)];
    });
}

/** The same of those that stand for themselves: this can't be added up. */
function eachAlone(read: (storage: StorageReading) => number | undefined) {
  return each((one) => (one.isMany ? undefined : read(one)));
}

/** Messages that were repaired, or would have been. */
export function repairsOf(storages: readonly StorageReading[]): Sample[] {
  return storages.flatMap(({ server, storage, completed, synthesized, late, resumed, oldAnswers }) => [
    sample(completed.client, server, storage, "completed", "client"),
    sample(completed.foreign, server, storage, "completed", "foreign"),
    sample(synthesized.client, server, storage, "synthesized", "client"),
    sample(synthesized.foreign, server, storage, "synthesized", "foreign"),
    sample(late, server, storage, "late", "any"),
    sample(resumed, server, storage, "resumed", "any"),
    sample(oldAnswers, server, storage, "old-answer", "any"),
  ]);
}

export function repairedIn(storages: readonly StorageReading[]): Sample[] {
  return storages.flatMap(({ server, storage, repaired }) => [
    sample(repaired.client, server, storage, "client"),
    sample(repaired.foreign, server, storage, "foreign"),
  ]);
}

/**
 * What there is of each storage that its server has accepted. What can be told of several together is told so of those
 * beyond the hundredth.
 */
export const STORAGE_METRICS: readonly Metric<Reading>[] = [
  {
    name: "zeo_proxy_commits_total",
    type: "counter",
    help: "Commits of the proxy's clients that have settled.",
    labels: LABELS,
    read: each(({ commits }) => commits),
  },
  {
    name: "zeo_proxy_foreign_commits_total",
    type: "counter",
    help: "Commits that were seen and that did not pass through the proxy.",
    labels: LABELS,
    read: each(({ foreign }) => foreign),
  },
  {
    name: "zeo_proxy_foreign_commits_read_total",
    type: "counter",
    help: "Those of them that were read from the storage, so that clients are told of them completely.",
    labels: LABELS,
    read: each(({ foreignRead }) => foreignRead),
  },
  {
    name: "zeo_proxy_repairs_total",
    type: "counter",
    help: "Messages to clients that were repaired, by kind, and by who has committed.",
    labels: [...LABELS, "kind", "source"],
    read: ({ storages }) => repairsOf(storages),
  },
  {
    name: "zeo_proxy_repaired_transactions_total",
    type: "counter",
    help: "Transactions that were repaired for at least one client, by who has committed.",
    labels: [...LABELS, "source"],
    read: ({ storages }) => repairedIn(storages),
  },
  {
    name: "zeo_proxy_oids_added_total",
    type: "counter",
    help: "Oids that repaired transactions had and that the server did not name, once for each transaction.",
    labels: LABELS,
    read: each(({ oidsAdded }) => oidsAdded),
  },
  {
    name: "zeo_proxy_resumes_refused_total",
    type: "counter",
    help: "getInvalidations that the proxy answered None: those clients verify their caches.",
    labels: LABELS,
    read: each(({ resumesRefused }) => resumesRefused),
  },
  {
    name: "zeo_proxy_held_messages",
    type: "gauge",
    help: "Messages to clients that wait for a commit, a question or the witness.",
    labels: LABELS,
    read: each(({ held }) => held),
  },
  {
    name: "zeo_proxy_hold_seconds",
    type: "histogram",
    help: "For how long messages waited that had to.",
    labels: LABELS,
    read: each(({ holdMs }) => ({ histogram: holdMs, scale: SECONDS })),
  },
  {
    name: "zeo_proxy_finishing_commits",
    type: "gauge",
    help: "Commits whose tpc_finish is on its way.",
    labels: LABELS,
    read: each(({ finishing }) => finishing),
  },
  {
    name: "zeo_proxy_questions_total",
    type: "counter",
    help: "The proxy's own lastTransaction calls.",
    labels: LABELS,
    read: each(({ questions }) => questions),
  },
  {
    name: "zeo_proxy_witness_up",
    type: "gauge",
    help: "1 if what does not pass through the proxy is read, 0 if it is not at present; nothing with witness: off.",
    labels: LABELS,
    read: eachAlone(({ isWitnessUp }) => (isWitnessUp === undefined ? undefined : Number(isWitnessUp))),
  },
  {
    name: "zeo_proxy_witness_lag_seconds",
    type: "gauge",
    help: "What the witness has not seen yet: the time between the newest known tid and the tid up to which all is known.",
    labels: LABELS,
    read: eachAlone(({ witnessLagMs }) => (witnessLagMs === undefined ? undefined : witnessLagMs * SECONDS)),
  },
  {
    name: "zeo_proxy_history_bytes",
    type: "gauge",
    help: "Memory of past transactions, as limits.history counts it.",
    labels: LABELS,
    read: each(({ historyBytes }) => historyBytes),
  },
  {
    name: "zeo_proxy_history_transactions",
    type: "gauge",
    help: "Past transactions that are kept.",
    labels: LABELS,
    read: each(({ transactions }) => transactions),
  },
  {
    name: "zeo_proxy_history_reach_timestamp_seconds",
    type: "gauge",
    help: "The time of the tid above which the history is whole: clients that were away since are told what they missed.",
    labels: LABELS,
    read: eachAlone(({ reach }) => (reach === undefined ? undefined : tidTimeMs(reach) * SECONDS)),
  },
  {
    name: "zeo_proxy_setbacks_total",
    type: "counter",
    help: "How often the server's last transaction was older than a known one.",
    labels: LABELS,
    read: each(({ setbacks }) => setbacks),
  },
];
