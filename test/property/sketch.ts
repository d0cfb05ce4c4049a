import { isNew, type Config } from "../explore/config.ts";
import type { Message } from "../explore/message.ts";
import type { Client, Conn, World } from "../explore/world.ts";
import type { Account, StorageState } from "../../src/ledger/state.ts";

/**
 * A state in outline, as a number: who is at which point, what stands next in each queue, what is due, held and finishing.
 * Left out are tids, numbers and how often something has happened, so that a long walk comes to the same outline again, and
 * to a new one only where something is new.
 */
export function sketch(c: Config, w: World): number {
  const { ledger } = w;
  let hash = 0x811c9dc5;
  const put = (value: number): void => void (hash = Math.imul(hash ^ value, 0x01000193) ^ (hash >>> 15));
  for (const k of w.clients) putClient(w, k, put);
  for (const s of w.conns) if (s !== undefined) putConn(c, w, s, put);
  put(w.lock + 1);
  putQueue(w.later, put);
  putLedger(w, ledger, put);
  return hash;
}

type Put = (value: number) => void;

function few(count: number, most = 2): number {
  return Math.min(count, most);
}

function putClient(w: World, k: Client, put: Put): void {
  put(
    k.phase | (k.transaction << 3) | ((k.ended ? 1 : 0) << 6) | ((k.fresh ? 1 : 0) << 7) | ((k.stalled ? 1 : 0) << 8),
  );
  put(few(w.last - k.last, 1) | (few(k.reads, 1) << 2) | ((k.stale === 0 ? 0 : 1) << 4));
}

function putConn(c: Config, w: World, s: Conn, put: Put): void {
  const flags = [s.alive, s.dead, s.closed, s.closing, s.gone, s.cut, s.waits, s.halfClosed, s.finishSent, s.foreign];
  put(flags.reduce((set, flag, at) => set | ((flag ? 1 : 0) << at), s.client << 10));
  put(s.registered | (few(s.toClient.length, 1) << 6) | ((s.explicit === 0 ? 0 : 1) << 7));
  putQueue(s.toServer, put);
  putQueue(s.toProxy, put);
  const account = w.ledger.accounts.get(s.number);
  if (account !== undefined) putAccount(c, w.ledger, account, put);
}

/** What comes next, and whether more does. */
function putQueue(queue: readonly Message[], put: Put): void {
  put((queue[0]?.kind ?? 0) | (few(queue.length) << 5));
}

const PHASES = ["registering", "registered", "orphaned", "closing"];
const ITEMS = ["plain", "register", "reply", "invalidations", "grant", "invalidation"];

function putAccount(c: Config, ledger: StorageState<Message>, account: Account<Message>, put: Put): void {
  const { due, outbox, question, seen } = account;
  put(
    PHASES.indexOf(account.phase) |
      (few(due.length) << 2) |
      ((question === undefined ? 0 : 1) << 4) |
      ((seen ? 1 : 0) << 5),
  );
  const asked =
    question !== undefined && isNew(c) ? due.filter(({ settled }) => settled.order <= question.order).length : 0;
  put(few(asked) | ((due.some(({ settled }) => !settled.complete) ? 1 : 0) << 2));
  const oldest = ledger.finishing[0]?.number ?? Number.POSITIVE_INFINITY;
  for (const item of outbox.slice(0, 2)) {
    const waits = item.after >= oldest;
    const shows = item.tid === 0n ? 0 : item.tid > account.announced ? 2 : 1;
    put(ITEMS.indexOf(item.kind) | ((waits ? 1 : 0) << 3) | (shows << 4) | ((item.payload === undefined ? 1 : 0) << 6));
  }
  put(
    few(outbox.length) | (compare(account.floor, ledger.known) << 2) | (compare(account.announced, ledger.known) << 4),
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? 0 : a === b ? 1 : 2;
}

function putLedger(w: World, ledger: StorageState<Message>, put: Put): void {
  put(few(ledger.finishing.length) | (few(ledger.history.length) << 2) | (few(ledger.heard.size) << 4));
  for (const commit of ledger.finishing) {
    put(w.conns.findIndex((s) => s?.number === commit.session) | (compare(commit.base, ledger.known) << 4));
  }
  const { limbo, reach } = ledger;
  put(few(limbo.length) | ((limbo.some(({ open }) => open) ? 1 : 0) << 2));
  put((reach === undefined ? 3 : compare(reach, ledger.known)) | (compare(ledger.proven, ledger.known) << 2));
  put(ledger.history.filter((settled) => settled.owed !== undefined).length);
}
