import { MOST_CLIENTS, type ClientView, type Snapshot, type StorageView, type UpstreamView } from "../page/snapshot.ts";
import type { Counters } from "../report/counters.ts";
import type { Storage } from "../storage/storage.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { tidHex } from "../wire/ids.ts";

/** Storages are named by clients: of so many the page tells. */
const MOST_STORAGES = 100;
/** No name of a storage that a server has is longer. */
const MOST_NAME = 100;

/** How everything stands now. To look at all sessions takes a while: at most once a second, and while somebody looks. */
export function snapshotOf(
  upstreams: readonly Upstream[],
  storages: { readonly repaired: readonly Storage[]; readonly observed: readonly Storage[] },
  counters: Counters,
): Snapshot {
  const { completed, synthesized, late, resumed, tooOld, guard, ended, observed, relayed } = counters;
  const views = [
    ...storages.repaired.map((storage) => storageView(storage, false)),
    ...storages.observed.map((storage) => storageView(storage, true)),
  ];
  const clients: ClientView[] = [];
  const protocols = upstreams.map((upstream) => addClients(upstream, clients));
  clients.sort((a, b) => b.waiting - a.waiting || b.ageMs - a.ageMs);
  return {
    upstreams: upstreams.map((upstream, i) => ({
      ...upstreamView(upstream, Object.fromEntries(relayed.get(upstream.name) ?? [])),
      protocols: protocols[i] ?? {},
    })),
    storages: views.slice(0, MOST_STORAGES),
    clients: clients.slice(0, MOST_CLIENTS),
    moreClients: Math.max(0, clients.length - MOST_CLIENTS),
    completed,
    synthesized,
    late,
    resumed,
    tooOld,
    ended: Object.fromEntries(ended),
    observed: { resumed: observed.resumed, tooOld: observed.tooOld, ended: observed.ended },
    guard,
  };
}

function upstreamView(
  upstream: Upstream,
  unrepaired: Readonly<Record<string, number>>,
): Omit<UpstreamView, "protocols"> {
  return {
    name: upstream.name,
    listen: upstream.listen ?? null,
    server: upstream.serverAddress,
    addresses: upstream.serverAddresses,
    repair: upstream.repair,
    observed: upstream.observed,
    state: upstream.state,
    clients: upstream.clients,
    accepted: upstream.accepted,
    unrepaired,
  };
}

/** @returns how many speak which protocol */
function addClients({ name, sessions }: Upstream, clients: ClientView[]): Record<string, number> {
  const protocols: Record<string, number> = {};
  for (const session of sessions) {
    const { protocol, storage, received, life, ageMs, waitingBytes, heldBytes, calls, isFinishing, isObserved } =
      session.view;
    if (protocol !== undefined) protocols[protocol] = (protocols[protocol] ?? 0) + 1;
    const named = { protocol: protocol ?? null, storage: storage?.slice(0, MOST_NAME) ?? null };
    const traffic = { fromClient: received.client, fromServer: received.server };
    const waits = { waiting: heldBytes + waitingBytes, openCalls: calls, isFinishing };
    clients.push({ upstream: name, client: session.peer, life, isObserved, ageMs, ...traffic, ...waits, ...named });
  }
  return protocols;
}

function storageView({ server, name, ledger, setbacks }: Storage, isObserved: boolean): StorageView {
  const { known, ...facts } = ledger.facts;
  const { reach, finishing, history, historyBytes } = ledger.state;
  return {
    server,
    storage: name.slice(0, MOST_NAME),
    family: ledger.family,
    isObserved,
    ...facts,
    setbacks,
    known: tidHex(known),
    reach: reach === undefined ? null : tidHex(reach),
    finishing: finishing.length,
    historyTransactions: history.length,
    historyBytes,
  };
}
