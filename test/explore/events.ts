import { StorageLedger } from "../../src/ledger/ledger.ts";
import { client } from "./client.ts";
import { cloneWorld } from "./clone.ts";
import { hasOldClients, isNew, KINDS, type Config } from "./config.ts";
import { MessageKind, type Message } from "./message.ts";
import { AT_LAST, isFinishing } from "./proxy.ts";
import { conn, Failure } from "./server.ts";
import { asks, readsBack } from "./watch.ts";
import { ClientPhase, NOBODY, TransactionPhase, type Client, type Conn, type World } from "./world.ts";

/** What happens next. `a` is a client or a slot, `b` depends on the type. */
export interface Event {
  readonly type: EventType;
  readonly a: number;
  readonly b: number;
}

export type EventType =
  // a client's decision; a is the client
  | "connect"
  | "begin"
  | "copy"
  | "vote-again"
  | "finish"
  | "abort"
  | "read"
  | "load"
  | "half-close"
  | "stall"
  | "read-on"
  | "disconnect"
  // what happens by itself; a is the slot
  | "forward-finish"
  | "pass-end"
  | "client-gone"
  | "proxy-reads"
  | "tick"
  | "server"
  | "server-fails"
  | "server-skips"
  | "server-delays"
  | "late"
  | "register-reply"
  | "grant"
  | "grant-fails"
  | "later"
  | "deliver"
  | "close-client"
  | "cut"
  | "hang-up"
  | "restore"
  /** `a` commits stay. */
  | "trim"
  // the witness
  | "witness-asks"
  | "witness-answered"
  | "witness-reads"
  | "witness-reads-back"
  | "witness-down"
  | "witness-off"
  | "witness-up"
  | "hold-over";

/** All that can happen. */
export function enabled(c: Config, w: World): Event[] {
  const events: Event[] = [];
  automatic(c, w, events);
  decisions(c, w, events);
  return events;
}

/** What the clients may decide to do; and what nobody may wait for. */
export function decisions(c: Config, w: World, events: Event[]): void {
  for (let i = 0; i < c.clients; i++) decisionsOf(c, w, i, events);
  if (w.rare.trims >= c.trims) return;
  for (let kept = 0; kept <= MOST_KEPT && kept < w.ledger.history.length; kept++)
    events.push({ type: "trim", a: kept, b: 0 });
}

/** What is trimmed comes down to so many commits at most. */
const MOST_KEPT = 1;

function decisionsOf(c: Config, w: World, i: number, events: Event[]): void {
  const k = client(w, i);
  const add = (type: EventType, b = 0): void => void events.push({ type, a: i, b });
  if (k.phase === ClientPhase.down) {
    if (!k.ended && k.connects < c.connects && freeSlot(w) >= 0) add("connect");
    return;
  }
  const { foreign, halfClosed } = conn(w, k.slot);
  if (w.disconnects < c.disconnects && !foreign) add("disconnect");
  if (k.stalled) add("read-on");
  else if (w.rare.stalls < c.stalls && !foreign) add("stall");
  if (halfClosed) return;
  if (w.rare.halfCloses < c.halfCloses && !foreign && mayHalfClose(c, k)) add("half-close");
  if (k.transaction === TransactionPhase.voting && w.rare.votesAgain < c.votesAgain && !foreign) add("vote-again");
  if (k.phase !== ClientPhase.ready) return;
  const none = k.transaction === TransactionPhase.none;
  if (none && w.begun < c.commits && (c.writers === 0 || i < c.writers || foreign)) {
    for (let kind = 0; kind < KINDS.length; kind++) if (c.kinds.includes(KINDS[kind] ?? "?")) add("begin", kind);
    if (copyTarget(c, w) > 0 && !foreign) {
      for (let kind = 0; kind < KINDS.length; kind++)
        if (COPIED.includes(KINDS[kind] ?? "?") && c.kinds.includes(KINDS[kind] ?? "?")) add("copy", kind);
    }
  }
  if (k.transaction === TransactionPhase.voted) add("finish");
  if (k.transaction === TransactionPhase.conflicts) add("begin", k.kind);
  if (k.transaction === TransactionPhase.voted && k.aborts < c.aborts) add("abort");
  if (k.transaction === TransactionPhase.failed || k.transaction === TransactionPhase.conflicts) add("abort");
  const inFinish = k.transaction === TransactionPhase.finishing && hasOldClients(c);
  if (!foreign && k.reads < c.reads && k.polls < c.polls && !inFinish) {
    add("read");
    if (c.loads) add("load");
  }
}

/** Kinds that a copied transaction may have. */
const COPIED = "CMD";

/** The tid of the next transaction that is copied, free and below the last one; 0: there is none. */
export function copyTarget(c: Config, w: World): number {
  if (bits(w.rare.copied) >= c.copies) return 0;
  const free: number[] = [];
  for (let t = 1; t < w.last; t += 2) if ((w.rare.copied & (1 << t)) === 0) free.push(t);
  return free.at(c.copiesFarBelow ? 0 : -1) ?? 0;
}

function bits(set: number): number {
  let count = 0;
  for (let left = set; left !== 0; left &= left - 1) count++;
  return count;
}

/** An old server that closes a connection behind a vote that it has granted is left out, as in `mayHangUp`. */
function mayHalfClose(c: Config, k: Client): boolean {
  return isNew(c) || k.transaction !== TransactionPhase.voting;
}

/** What happens without a client's decision. */
export function automatic(c: Config, w: World, events: Event[]): void {
  const add = (type: EventType, a = 0, b = 0): void => void events.push({ type, a, b });
  for (let i = 0; i < c.clients; i++) if (client(w, i).ended && freeSlot(w) >= 0) add("connect", i);
  const ledger = new StorageLedger(w.ledger);
  if (c.ticks && c.rules.question && ledger.isOwing && ticks(w)) add("tick");
  for (let slot = 0; slot < w.conns.length; slot++) {
    const s = w.conns[slot];
    if (s === undefined) continue;
    const finishing = isFinishing(w.ledger, s.number);
    if (s.toClient.length > 0) {
      const k = s.alive ? client(w, s.client) : undefined;
      if (!(c.eager && k?.transaction === TransactionPhase.voted) && k?.stalled !== true) add("deliver", slot);
    } else if (s.closing && s.alive) add("close-client", slot);
    if (s.finishSent && !s.closed) add("forward-finish", slot);
    else if (s.halfClosed && !s.endPassed && !s.closed && !s.dead && !finishing) add("pass-end", slot);
    else if (!s.alive && !s.dead) add("client-gone", slot);
    if (s.toProxy.length > 0 && !s.closed && !s.foreign && !paused(c, w, ledger, s)) add("proxy-reads", slot);
    if (finishing && !s.cut && !s.gone && w.cuts < c.cuts) add("cut", slot);
    if (!s.cut && !s.gone && !s.foreign && w.hangups < c.hangups && mayHangUp(c, w, slot)) add("hang-up", slot);
    serverEvents(c, w, slot, s, add);
  }
  if (w.later.length > 0) add("later");
  if (c.witness) witnessEvents(c, w, add);
  const old = isNew(c) ? NOBODY : w.lock;
  if (w.rare.restores < c.restores && w.order.length > 0 && old === NOBODY) add("restore");
}

function witnessEvents(c: Config, w: World, add: (type: EventType) => void): void {
  const { watch, ledger } = w;
  if (asks(c, w)) add("witness-asks");
  if (watch.toServer.length > 0 && (w.later.length === 0 || watch.early > 0)) add("witness-answered");
  if (watch.toProxy.length > 0) add("witness-reads");
  if (readsBack(w)) add("witness-reads-back");
  if (watch.isUp && watch.downs < c.witnessDowns) add("witness-down");
  if (watch.isUp && watch.offs < c.witnessOffs) add("witness-off");
  if (!watch.isUp) add("witness-up");
  const waits = [...ledger.accounts.values()].some(({ awaited }) => awaited !== undefined && !awaited.isLate);
  if (waits && watch.holds < c.holds) add("hold-over");
}

/** Does anything come of a second that passes? Else a world in which something is held for ever would never be at rest. */
function ticks(w: World): boolean {
  const ledger = new StorageLedger(cloneWorld(w, true).ledger);
  ledger.tick(AT_LAST);
  return ledger.take().length > 0;
}

/**
 * An old server that closes the connection of the lock's holder is left out: its vote's reply, read after the lock has
 * moved on, can't be told from one that is the barrier it seems to be (docs/ordering.md, limits).
 */
function mayHangUp(c: Config, w: World, slot: number): boolean {
  return isNew(c) || w.lock !== slot;
}

function serverEvents(
  c: Config,
  w: World,
  slot: number,
  s: Conn,
  add: (type: EventType, a: number, b?: number) => void,
): void {
  if (s.gone) return;
  const [first] = s.toServer;
  if (s.late.length > 0) add("late", slot);
  if (s.registered === 1) {
    add("register-reply", slot);
  } else if (first !== undefined && (w.later.length === 0 || s.early > 0)) {
    add("server", slot);
    const commits = first.kind === MessageKind.finish && w.lock === slot;
    if (commits && w.rare.throws < c.throws && !s.foreign) {
      add("server-fails", slot, Failure.thrown);
      add("server-fails", slot, Failure.thrownUntold);
    }
    if (commits && w.rare.delays < c.delays) for (const j of takesLate(c, w, slot)) add("server-delays", slot, j);
    if (commits && w.skips < c.skips && !s.foreign) for (const j of others(w, slot)) add("server-skips", slot, j);
    if (first.kind === MessageKind.register && w.refusals < c.refusals) add("server-fails", slot, Failure.exception);
    if (c.forgets && first.kind === MessageKind.getInvalidations) add("server-fails", slot, Failure.exception);
    if (c.fails) {
      const votes = first.kind === MessageKind.vote && w.lock === NOBODY;
      if (votes || first.kind === MessageKind.finish) add("server-fails", slot, Failure.exception);
      if (votes && !isNew(c)) add("server-fails", slot, Failure.refused);
    }
    if (c.resolves && first.kind === MessageKind.vote && w.lock === NOBODY) {
      add("server-fails", slot, Failure.conflicts);
    }
  }
  if (!isNew(c) && s.waits && w.lock === NOBODY) {
    add("grant", slot);
    if (c.fails) {
      add("grant-fails", slot, Failure.refused);
      add("grant-fails", slot, Failure.exception);
    }
  }
}

/** Who else is told of a commit on that connection. */
function* others(w: World, slot: number): Generator<number> {
  for (const [j, other] of w.conns.entries()) {
    if (other !== undefined && j !== slot && other.registered > 0 && !other.gone && !other.foreign) yield j;
  }
}

/** ... and never commits itself. */
/** An old client that holds the lock would hang, whoever writes it something late. */
function* takesLate(c: Config, w: World, slot: number): Generator<number> {
  for (const j of others(w, slot)) if (isNew(c) || conn(w, j).client >= c.writers) yield j;
}

/** Is the server's connection left unread: for a slow client, or for what is held for it? */
function paused(c: Config, w: World, ledger: StorageLedger<Message>, s: Conn): boolean {
  const isSlow = s.alive && s.toClient.length > 0 && client(w, s.client).stalled;
  const held = c.outboxLimit === 0 ? 0 : (ledger.state.accounts.get(s.number)?.outbox.length ?? 0);
  const isMuch = c.outboxLimit > 0 && held >= c.outboxLimit;
  return (isSlow || isMuch) && ledger.mayPause(s.number, isSlow);
}

export function freeSlot(w: World): number {
  return w.conns.findIndex((s, i) => s === undefined && !w.later.some((m) => refersTo(m, i)));
}

function refersTo(m: Message, slot: number): boolean {
  return m.kind === MessageKind.invalidation ? (m.mask & (1 << slot)) !== 0 : m.a === slot;
}
