import { StorageLedger } from "../../src/ledger/ledger.ts";
import { newState, type Stamp, type StorageState } from "../../src/ledger/state.ts";
import { hasOldClients, isNew, type Config, type KindIndex } from "./config.ts";
import { startWatch, type Watch } from "./watch.ts";
import { message, MessageKind, tid, type Message, type SmallTid } from "./message.ts";

/**
 * The world: clients, the ledger with the little that a session does around it, one ZEO server, queues between them.
 * All plain data. Queues and lists are replaced, never changed in place, so copies share them.
 */
export interface World {
  /** By slot; a slot is used again once its connection is gone on all sides. */
  conns: (Conn | undefined)[];
  clients: Client[];
  ledger: StorageState<Message>;
  /** The number of the next session; the ledger wants them never used twice. */
  nextSession: number;

  // the server
  /** The slot that has the storage's lock. */
  lock: number;
  /** The last tid. */
  last: SmallTid;
  /** By tid: what it is, and the number of its transaction. */
  kinds: readonly KindIndex[];
  transactions: readonly number[];
  /** The newest tid in the server's invalidation queue. */
  queued: SmallTid;
  /** New: what the loop runs next. */
  later: readonly Message[];
  /** Transactions begun. */
  begun: number;
  /** The highest tid that was ever given. */
  top: SmallTid;
  /** The tids that are in the database, in the order of their commits. */
  order: readonly SmallTid[];
  disconnects: number;
  cuts: number;
  hangups: number;
  skips: number;
  refusals: number;
  rare: Rare;
  watch: Watch;
  /** A bit for each tid that every client is to hear of before anything shows it. */
  must: number;
  /** ... and for each that it is to have heard of at rest: those, and what the server itself tells out of order. */
  rest: number;
  /** ... and of those as the server tells them: committed by the client that the proxy does not see. */
  blind: number;
}

/** What few worlds have. Replaced, never changed: a copy of a world shares it. */
export interface Rare {
  readonly halfCloses: number;
  readonly stalls: number;
  readonly votesAgain: number;
  readonly restores: number;
  readonly throws: number;
  readonly delays: number;
  readonly trims: number;
  /** A bit for each tid that a transaction is or was copied to. */
  readonly copied: number;
  /** A bit for each tid that is not in the server's invalidation queue, though it told of it to nobody. */
  readonly untold: number;
  /** A bit for each tid that a backup did not have. */
  readonly lost: number;
  /** A bit for the number of each transaction whose connection broke in its finish. */
  readonly limbos: number;
  /** The first tid whose reply, when it was read, showed that these are over; 0: none. */
  readonly proof: SmallTid;
  /**
   * A bit for each tid that was committed over a broken connection and is not told by the server alone. Until the next
   * vote is granted a client may miss it: docs/ordering.md, *What stays open*.
   */
  readonly open: number;
}

const NOTHING_RARE: Rare = {
  halfCloses: 0,
  stalls: 0,
  votesAgain: 0,
  restores: 0,
  throws: 0,
  delays: 0,
  trims: 0,
  copied: 0,
  untold: 0,
  lost: 0,
  limbos: 0,
  proof: 0,
  open: 0,
};

/** A client's connection and the server's connection that belongs to it. */
export interface Conn {
  /** The number of its session. */
  number: number;
  client: number;
  foreign: boolean;

  // client side
  /** The client still has it open. */
  alive: boolean;
  /** `tpc_finish` was sent by the client and is not forwarded yet. */
  finishSent: boolean;
  toClient: readonly Message[];
  /** The client has closed its half. */
  halfClosed: boolean;

  // proxy
  /** ... and that was passed on. */
  endPassed: boolean;
  /** It has seen the client's end, or ended it. */
  dead: boolean;
  /** It has closed the server's connection, or seen that closed. */
  closed: boolean;
  /** The client's connection is to be closed once everything has been delivered. */
  closing: boolean;

  // server side
  toServer: readonly Message[];
  toProxy: readonly Message[];
  /** 0: not registered; 1: registered, the reply is not written (old); 2: both. */
  registered: number;
  /** Waits for the lock. */
  waits: boolean;
  kind: KindIndex;
  transaction: number;
  /** The tid that its `tpc_begin` has named; 0: none. */
  explicit: SmallTid;
  /** It voted when no `tpc_finish` on a broken connection could be read any more. */
  behind: boolean;
  /** The server's messages that are late. */
  late: readonly Message[];
  /** Of the vote that waits. */
  stamp: Stamp;
  /** The server has closed it, or seen it closed. */
  gone: boolean;
  /** It broke: nothing comes over it any more. */
  cut: boolean;
  /** New: so many requests may still be worked on before the loop runs what is queued; or `READABLE`. */
  early: number;
}

/** The loop found it readable and has not come to it yet: it will read what has arrived until then. */
export const READABLE = 15;

export type ClientPhase = (typeof ClientPhase)[keyof typeof ClientPhase];

export const ClientPhase = {
  down: 0,
  /** `register` sent. */
  registering: 1,
  /** `lastTransaction` sent (old servers). */
  asking: 2,
  /** `getInvalidations` sent. */
  verifying: 3,
  ready: 4,
} as const;

export type TransactionPhase = (typeof TransactionPhase)[keyof typeof TransactionPhase];

export const TransactionPhase = {
  none: 0,
  voting: 1,
  voted: 2,
  /** Refused, the lock is held. */
  failed: 3,
  finishing: 4,
  /** Conflicts were replied: it will vote again. */
  conflicts: 5,
} as const;

export interface Client {
  phase: ClientPhase;
  slot: number;
  /** Its cache's last tid. */
  last: SmallTid;
  /** An empty cache: takes the first tid it is told. */
  fresh: boolean;
  /** The highest tid shown on this connection. */
  shown: SmallTid;
  /** The highest tid announced on this connection. */
  announced: SmallTid;
  /** The last tid known otherwise than by a reply that showed it (only a foreign one can differ). */
  since: SmallTid;
  /** A bit for each tid up to `last` that it has not heard of, and for each that it has and that is lost. */
  stale: number;
  /** A bit for each tid above `last` that it need not hear of. */
  ahead: number;
  /** It does not read. */
  stalled: boolean;
  /** Invalidations during verification. */
  queue: readonly Message[];
  transaction: TransactionPhase;
  kind: KindIndex;
  number: number;
  /** Reads without a reply. */
  reads: number;
  polls: number;
  connects: number;
  aborts: number;
  /** The proxy has ended its session: it connects again by itself. */
  ended: boolean;
}

export const NOBODY = -1;

export function newConn(number: number, client: number): Conn {
  return {
    number,
    client,
    foreign: false,
    alive: true,
    finishSent: false,
    toClient: [],
    halfClosed: false,
    endPassed: false,
    dead: false,
    closed: false,
    closing: false,
    toServer: [],
    toProxy: [],
    registered: 0,
    waits: false,
    kind: 0,
    transaction: 0,
    explicit: 0,
    behind: false,
    late: [],
    stamp: { order: 0, proven: tid(0) },
    gone: false,
    cut: false,
    early: 0,
  };
}

/** Everyone but the cold clients is connected and ready, at tid 0. */
export function initialWorld(c: Config): World {
  const ledger = new StorageLedger<Message>(newState(isNew(c) ? "new" : "old", c.rules), c.historyBytes);
  const world: World = {
    conns: Array.from({ length: c.slots }, () => undefined),
    clients: [],
    ledger: ledger.state,
    nextSession: 1,
    lock: NOBODY,
    last: 0,
    kinds: [0],
    transactions: [0],
    queued: 0,
    later: [],
    begun: 0,
    disconnects: 0,
    cuts: 0,
    hangups: 0,
    skips: 0,
    refusals: 0,
    rare: NOTHING_RARE,
    watch: startWatch(c, ledger),
    top: 0,
    order: [],
    must: 0,
    rest: 0,
    blind: 0,
  };
  const outside = c.foreign ? c.clients - 1 : c.clients;
  for (let i = 0; i < c.clients; i++) {
    const cold = i >= outside - c.cold && i < outside;
    world.clients.push({
      phase: cold ? ClientPhase.down : ClientPhase.ready,
      slot: cold ? NOBODY : i,
      last: 0,
      fresh: cold && c.fresh,
      shown: 0,
      announced: 0,
      since: 0,
      stale: 0,
      ahead: 0,
      stalled: false,
      queue: [],
      transaction: TransactionPhase.none,
      kind: 0,
      number: 0,
      reads: 0,
      polls: 0,
      connects: 0,
      aborts: 0,
      ended: false,
    });
    if (cold) continue;
    const conn = newConn(world.nextSession++, i);
    conn.registered = 2;
    conn.foreign = i === outside;
    world.conns[i] = conn;
    if (conn.foreign) continue;
    ledger.registerForwarded(conn.number);
    registerAtZero(ledger, conn.number, isNew(c));
    // It has asked for something else (`get_info`) when its cache was verified.
    if (!hasOldClients(c)) ledger.workForwarded(conn.number);
  }
  ledger.take();
  return world;
}

/** The registration as a client of an empty database makes it; what goes out is not looked at. */
function registerAtZero(ledger: StorageLedger<Message>, session: number, onNew: boolean): void {
  const read = { payload: message(MessageKind.registerReply), bytes: 1 };
  ledger.registerReply(session, onNew ? tid(0) : undefined, read);
  ledger.lastTransactionReply(session, tid(0), ledger.stamp, read);
}
