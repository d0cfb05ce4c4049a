import { fullParts, hasOldClients, isNew, sentParts, type Config } from "./config.ts";
import {
  Finish,
  LAST_TRANSACTION,
  message,
  MessageKind,
  Resumed,
  Vote,
  type Message,
  type SmallTid,
} from "./message.ts";
import { conn } from "./server.ts";
import { ClientPhase, NOBODY, TransactionPhase, type Client, type Conn, type World } from "./world.ts";

/** What went wrong; the first digit is the number of the invariant of docs/ordering.md. */
export type Violation = string;

export function client(w: World, i: number): Client {
  const found = w.clients[i];
  if (found === undefined) throw new Error(`no client ${i}`);
  return found;
}

export function disconnect(w: World, i: number): void {
  const k = client(w, i);
  const s = conn(w, k.slot);
  s.alive = false;
  s.toClient = [];
  Object.assign(k, {
    phase: ClientPhase.down,
    slot: NOBODY,
    shown: 0,
    announced: 0,
    since: 0,
    stalled: false,
    queue: [],
    transaction: TransactionPhase.none,
    kind: 0,
    number: 0,
    reads: 0,
  } satisfies Partial<Client>);
}

/** Is there anything in (from, to] that a client must hear of? `ahead`: what it knows already. */
export function missing(w: World, from: SmallTid, to: SmallTid, ahead = 0): boolean {
  const must = w.must & ~ahead;
  for (let t = from + 1; t <= to; t++) if ((must & (1 << t)) !== 0) return true;
  return false;
}

/** The client goes on from `to`; `told`: the tids on the way that it has heard of, a bit for each. */
function goOn(w: World, k: Client, to: SmallTid, told = 0): void {
  // What must be told before it shows is looked at when it shows.
  const silent = w.rest & ~w.must & ~told & ~k.ahead;
  if (silent !== 0) for (let t = k.last + 1; t <= to; t++) k.stale |= silent & (1 << t);
  k.last = to;
}

/** Its cache is empty, as of `at`: nothing in it is stale. */
function empty(c: Config, w: World, k: Client, at: SmallTid): void {
  k.stale = 0;
  k.last = at;
  k.ahead = 0;
  // Where the last tid can go back, what it loads from now on is newer than that.
  if (c.copies > 0) for (const t of w.order) if (t > at) k.ahead |= 1 << t;
}

/** The parts of `t` that a client is to hear of. */
export function wanted(c: Config, w: World, t: SmallTid): number {
  const kind = w.kinds[t] ?? 0;
  return (w.blind & (1 << t)) !== 0 ? (sentParts(c, kind) ?? 0) : fullParts(kind);
}

/** One message reaches the client. */
export function deliver(c: Config, w: World, slot: number, forward: (m: Message) => void): Violation | undefined {
  const s = conn(w, slot);
  const [m] = s.toClient as [Message];
  s.toClient = s.toClient.slice(1);
  if (!s.alive) return undefined;
  const k = client(w, s.client);
  const say = s.halfClosed ? SILENT : forward;
  switch (m.kind) {
    case MessageKind.registerError:
      k.phase = ClientPhase.registering;
      say(message(MessageKind.register));
      return undefined;
    case MessageKind.registerReply:
      if (!isNew(c)) {
        k.phase = ClientPhase.asking;
        say(message(MessageKind.read, { b: LAST_TRANSACTION }));
        return undefined;
      }
      k.shown = Math.max(k.shown, m.a);
      return learn(c, w, k, m.a, say);
    case MessageKind.readReply:
      return readReply(c, w, k, m, say);
    case MessageKind.resumed:
      return resumed(c, w, k, m);
    case MessageKind.voteReply:
      k.shown = Math.max(k.shown, m.b);
      if (missing(w, k.last, m.b, k.ahead)) return `1 a conflict shows T${m.b} while the client knows T${k.last}`;
      if (m.a !== Vote.already) k.transaction = AFTER_VOTE[m.a] ?? TransactionPhase.none;
      return undefined;
    case MessageKind.serialnos:
      k.shown = Math.max(k.shown, m.a);
      if (missing(w, k.last, m.a, k.ahead)) return `1 serialnos show T${m.a} while the client knows T${k.last}`;
      return undefined;
    case MessageKind.finishReply:
      return finished(c, w, k, m);
    case MessageKind.invalidation:
      return invalidated(c, w, s, k, m);
    case MessageKind.again:
      return toldAgain(c, k, m);
    default:
      return `3 the client got a message of kind ${m.kind}`;
  }
}

const SILENT = (): void => undefined;

const AFTER_VOTE: Readonly<Record<number, TransactionPhase>> = {
  [Vote.refused]: TransactionPhase.failed,
  [Vote.granted]: TransactionPhase.voted,
  [Vote.exception]: TransactionPhase.none,
  [Vote.conflicts]: TransactionPhase.conflicts,
};

function readReply(c: Config, w: World, k: Client, m: Message, forward: (m: Message) => void): Violation | undefined {
  const shows = m.b === LAST_TRANSACTION;
  if (shows) k.shown = Math.max(k.shown, m.a);
  if (k.phase === ClientPhase.asking) return learn(c, w, k, m.a, forward);
  k.reads--;
  if (shows && missing(w, k.last, m.a, k.ahead)) return `1 evidence of T${m.a} while the client knows T${k.last}`;
  // A server whose last transaction was copied names that one, whenever it computes the reply.
  if ((w.rare.copied & (1 << m.a)) !== 0) return undefined;
  for (let t = m.a + 1; t <= k.last; t++) {
    if (fullParts(w.kinds[t] ?? 0) !== 0) {
      return `6 stale read: computed at T${m.a}, delivered after the invalidation of T${k.last}`;
    }
  }
  return undefined;
}

function resumed(c: Config, w: World, k: Client, m: Message): Violation | undefined {
  if (m.number === Resumed.none) {
    if (!c.nones) return "4 getInvalidations was answered None";
    empty(c, w, k, k.shown); // as of the last transaction that it was told
    return ready(c, w, k);
  }
  if (m.a < k.last) return `2 getInvalidations tid T${m.a} below T${k.last} asked for`;
  if (m.a < k.announced) return `2 getInvalidations tid T${m.a} below announced T${k.announced}`;
  if (m.number === Resumed.incomplete) return `1 getInvalidations up to T${m.a} incomplete`;
  k.shown = Math.max(k.shown, m.a);
  k.stale &= ~m.mask;
  goOn(w, k, m.a, m.mask);
  return ready(c, w, k);
}

function finished(c: Config, w: World, k: Client, m: Message): Violation | undefined {
  k.transaction = TransactionPhase.none;
  const bit = 1 << m.a;
  if (m.b === Finish.thrown) return undefined;
  if ((w.rare.copied & bit) !== 0) {
    k.stale &= ~bit;
    // Where its vote was not held, what is above it may not have been told yet.
    if (c.holds > 0 && m.a > k.last) goOn(w, k, m.a, bit);
    return undefined;
  }
  if (m.b === Finish.nothing) {
    k.shown = Math.max(k.shown, m.a);
    if (missing(w, k.last, m.a, k.ahead)) return `1 an empty finish shows T${m.a} while the client knows T${k.last}`;
    goOn(w, k, Math.max(k.last, m.a));
    return undefined;
  }
  if ((w.rare.lost & bit) !== 0) {
    // It keeps what never was.
    k.stale |= bit;
    k.last = Math.max(k.last, m.a);
    return undefined;
  }
  if (m.a <= k.last || missing(w, k.last, m.a - 1, k.ahead)) return `2 own commit T${m.a} after T${k.last}`;
  goOn(w, k, m.a, bit);
  k.since = m.a;
  k.shown = Math.max(k.shown, m.a);
  return undefined;
}

function invalidated(c: Config, w: World, s: Conn, k: Client, m: Message): Violation | undefined {
  const from = m.madeUp ? "made up" : "server's";
  const t = m.a;
  if (k.phase === ClientPhase.registering) return `2 ${from} invalidation of T${t} before the register reply`;
  if (k.transaction === TransactionPhase.finishing && hasOldClients(c)) {
    return `5 deadlock of an old client: ${from} invalidation of T${t} inside its tpc_finish`;
  }
  if (!w.order.includes(t) && (w.rare.lost & (1 << t)) === 0)
    return `2 ${from} invalidation of T${t}, which is not committed`;
  if (t <= k.announced) return `2 ${from} invalidation of T${t} after T${k.announced}`;
  if (t <= k.shown && (w.must & (1 << t)) !== 0) return `1 ${from} invalidation of T${t} after T${k.shown} was shown`;
  if ((wanted(c, w, t) & ~m.mask) !== 0) return `1 ${from} invalidation of T${t} incomplete`;
  if (w.conns[k.slot] !== s) return "3 an invalidation came over another connection";
  k.announced = t;
  if (k.phase !== ClientPhase.ready) {
    k.queue = [...k.queue, m];
    return undefined;
  }
  return apply(w, k, t);
}

/** What came late, under a tid at which its cache must stand. */
function toldAgain(c: Config, k: Client, m: Message): Violation | undefined {
  if (k.phase === ClientPhase.registering) return `2 T${m.a} is told again before the register reply`;
  if (k.transaction === TransactionPhase.finishing && hasOldClients(c)) {
    return `5 deadlock of an old client: T${m.a} is told again inside its tpc_finish`;
  }
  if (k.phase === ClientPhase.ready) return applyAgain(k, m);
  // A ZEO 4 client keeps it while it verifies its cache, a ZEO 5 client drops it.
  if (hasOldClients(c)) k.queue = [...k.queue, m];
  return undefined;
}

function applyAgain(k: Client, m: Message): Violation | undefined {
  if (m.a !== k.last) return `2 T${m.a} is told again, the client is at T${k.last}`;
  // What it stands at by a transaction of its own that changed nothing it does not have.
  if (m.b !== 0 && k.since >= m.a) return `2 T${m.a} is told again with its own oids`;
  k.stale &= ~m.mask;
  // Where it has copied something, what it was told too late of can lie above that.
  k.ahead |= m.mask & ~((2 << k.last) - 1);
  return undefined;
}

/** A client that is ready must hear of every tid. */
function apply(w: World, k: Client, t: SmallTid): Violation | undefined {
  const bit = 1 << t;
  k.stale &= ~bit;
  if ((w.rare.lost & bit) !== 0) {
    k.last = Math.max(k.last, t);
    return undefined;
  }
  // The server had shown a foreign one before in a reply, as it does without a proxy.
  if (t <= k.last && (w.must & (1 << t)) === 0 && t > k.since) return undefined;
  if (t <= k.last) return `2 invalidation of T${t}, the client is at T${k.last}`;
  if (missing(w, k.last, t - 1, k.ahead))
    return `1 T${t} announced while the client is at T${k.last}: a commit is missing`;
  goOn(w, k, t, bit);
  k.since = t;
  return undefined;
}

/** The server's last tid during verification. */
function learn(c: Config, w: World, k: Client, t: SmallTid, forward: (m: Message) => void): Violation | undefined {
  if (k.fresh) {
    empty(c, w, k, t);
    return ready(c, w, k);
  }
  if (t < k.last && c.restores + c.copies > 0) {
    empty(c, w, k, t);
    return ready(c, w, k);
  }
  if (t < k.last) return `2 the client has seen newer transactions than the server: T${k.last}, T${t}`;
  if (t === k.last) return ready(c, w, k);
  k.phase = ClientPhase.verifying;
  forward(message(MessageKind.getInvalidations, { a: k.last }));
  return undefined;
}

function ready(_c: Config, w: World, k: Client): Violation | undefined {
  k.phase = ClientPhase.ready;
  k.fresh = false;
  const { queue } = k;
  k.queue = [];
  for (const m of queue) {
    if (m.kind !== MessageKind.again && m.a <= k.last) continue;
    const v = m.kind === MessageKind.again ? applyAgain(k, m) : apply(w, k, m.a);
    if (v !== undefined) return v;
  }
  return undefined;
}

export function clientName(i: number): string {
  return String.fromCharCode(65 + i);
}
