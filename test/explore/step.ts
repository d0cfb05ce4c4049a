import { StorageLedger } from "../../src/ledger/ledger.ts";
import { client, deliver, disconnect, missing, type Violation } from "./client.ts";
import { cloneWorld } from "./clone.ts";
import { hasOldClients, isNew, KINDS, type Config } from "./config.ts";
import { LAST_TRANSACTION, LOAD, message, MessageKind, Vote, type Message } from "./message.ts";
import { isFinishing, Proxy } from "./proxy.ts";
import {
  conn,
  Failure,
  finish,
  grant,
  hangUp,
  laterStep,
  registerReply,
  release,
  serverStep,
  takeRequest,
} from "./server.ts";
import { ClientPhase, newConn, NOBODY, TransactionPhase, type Conn, type World } from "./world.ts";

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
  | "finish"
  | "abort"
  | "read"
  | "load"
  | "disconnect"
  // what happens by itself; a is the slot
  | "forward-finish"
  | "client-gone"
  | "proxy-reads"
  | "tick"
  | "server"
  | "server-fails"
  | "server-skips"
  | "register-reply"
  | "grant"
  | "grant-fails"
  | "later"
  | "deliver"
  | "close-client"
  | "cut"
  | "hang-up";

const SERVER_ALONE: ReadonlySet<EventType> = new Set([
  "server",
  "server-fails",
  "server-skips",
  "register-reply",
  "grant",
  "grant-fails",
  "later",
]);

/** The world after one event; the one before stays as it is. */
export function after(c: Config, w: World, e: Event): { next: World; violation: Violation | undefined } {
  const next = cloneWorld(w, !(c.eager && SERVER_ALONE.has(e.type)));
  return { next, violation: step(c, next, e) };
}

/** All that can happen. */
export function enabled(c: Config, w: World): Event[] {
  const events: Event[] = [];
  automatic(c, w, events);
  decisions(c, w, events);
  return events;
}

/** What the clients may decide to do. */
export function decisions(c: Config, w: World, events: Event[]): void {
  for (let i = 0; i < c.clients; i++) decisionsOf(c, w, i, events);
}

function decisionsOf(c: Config, w: World, i: number, events: Event[]): void {
  const k = client(w, i);
  const add = (type: EventType, b = 0): void => void events.push({ type, a: i, b });
  if (k.phase === ClientPhase.down) {
    if (!k.ended && k.connects < c.connects && freeSlot(w) >= 0) add("connect");
    return;
  }
  const { foreign } = conn(w, k.slot);
  if (w.disconnects < c.disconnects && !foreign) add("disconnect");
  if (k.phase !== ClientPhase.ready) return;
  const none = k.transaction === TransactionPhase.none;
  if (none && w.begun < c.commits && (c.writers === 0 || i < c.writers || foreign)) {
    for (let kind = 0; kind < KINDS.length; kind++) if (c.kinds.includes(KINDS[kind] ?? "?")) add("begin", kind);
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

/** What happens without a client's decision. */
export function automatic(c: Config, w: World, events: Event[]): void {
  const add = (type: EventType, a = 0, b = 0): void => void events.push({ type, a, b });
  for (let i = 0; i < c.clients; i++) if (client(w, i).ended && freeSlot(w) >= 0) add("connect", i);
  const ledger = new StorageLedger(w.ledger);
  if (c.ticks && c.rules.question && ledger.isOwing) add("tick");
  for (let slot = 0; slot < w.conns.length; slot++) {
    const s = w.conns[slot];
    if (s === undefined) continue;
    const finishing = isFinishing(w.ledger, s.number);
    if (s.toClient.length > 0) {
      if (!(c.eager && s.alive && client(w, s.client).transaction === TransactionPhase.voted)) add("deliver", slot);
    } else if (s.closing && s.alive) add("close-client", slot);
    if (s.finishSent && !s.closed) add("forward-finish", slot);
    else if (!s.alive && !s.dead) add("client-gone", slot);
    if (s.toProxy.length > 0 && !s.closed && !s.foreign && !paused(c, ledger, s)) add("proxy-reads", slot);
    if (finishing && !s.cut && !s.gone && w.cuts < c.cuts) add("cut", slot);
    if (!s.cut && !s.gone && !s.foreign && w.hangups < c.hangups && mayHangUp(c, w, slot)) add("hang-up", slot);
    serverEvents(c, w, slot, s, add);
  }
  if (w.later.length > 0) add("later");
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
  if (s.registered === 1) {
    add("register-reply", slot);
  } else if (first !== undefined && (w.later.length === 0 || s.early > 0)) {
    add("server", slot);
    if (first.kind === MessageKind.finish && w.skips < c.skips && w.lock === slot && !s.foreign) {
      for (let j = 0; j < w.conns.length; j++) {
        const other = w.conns[j];
        if (other !== undefined && j !== slot && other.registered > 0 && !other.gone && !other.foreign) {
          add("server-skips", slot, j);
        }
      }
    }
    if (first.kind === MessageKind.register && w.refusals < c.refusals) add("server-fails", slot, Failure.exception);
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

function paused(c: Config, ledger: StorageLedger<Message>, s: Conn): boolean {
  if (c.outboxLimit === 0) return false;
  const held = ledger.state.accounts.get(s.number)?.outbox.length ?? 0;
  return held >= c.outboxLimit && ledger.mayPause(s.number, false);
}

function freeSlot(w: World): number {
  return w.conns.findIndex((s, i) => s === undefined && !w.later.some((m) => refersTo(m, i)));
}

function refersTo(m: Message, slot: number): boolean {
  return m.kind === MessageKind.invalidation ? (m.mask & (1 << slot)) !== 0 : m.a === slot;
}

/** Does one event; the result names a violation. `note` is told of what happens at once besides. */
export function step(c: Config, w: World, e: Event, note?: (text: string) => void): Violation | undefined {
  const proxy = new Proxy(c, w, note);
  let v = act(c, w, e, proxy);
  if (c.eager && v === undefined) v = settleDown(c, w, proxy, note);
  for (let i = 0; i < w.conns.length; i++) {
    const s = w.conns[i];
    if (s === undefined) continue;
    if (s.cut) s.toProxy = s.closed ? [] : [message(MessageKind.broken)];
    if (!s.alive && s.closed && s.gone && !w.ledger.accounts.has(s.number)) w.conns[i] = undefined;
  }
  return v ?? bookkeeping(w);
}

function act(c: Config, w: World, e: Event, proxy: Proxy): Violation | undefined {
  switch (e.type) {
    case "connect":
      connect(w, e.a, proxy);
      return undefined;
    case "begin": {
      const k = client(w, e.a);
      const again = k.transaction === TransactionPhase.conflicts;
      if (!again) k.number = ++w.begun;
      k.transaction = TransactionPhase.voting;
      k.kind = e.b;
      proxy.vote(k.slot, e.b, k.number, again);
      return undefined;
    }
    case "finish": {
      const k = client(w, e.a);
      k.transaction = TransactionPhase.finishing;
      const s = conn(w, k.slot);
      if (s.foreign) s.toServer = [...s.toServer, message(MessageKind.finish)];
      else s.finishSent = true;
      return undefined;
    }
    case "abort": {
      const k = client(w, e.a);
      if (k.transaction === TransactionPhase.voted) k.aborts++;
      k.transaction = TransactionPhase.none;
      proxy.abort(k.slot);
      return undefined;
    }
    case "read":
    case "load": {
      const k = client(w, e.a);
      k.polls++;
      k.reads++;
      proxy.forward(k.slot, message(MessageKind.read, { b: e.type === "load" ? LOAD : LAST_TRANSACTION }));
      return undefined;
    }
    case "disconnect":
      w.disconnects++;
      disconnect(w, e.a);
      return undefined;
    case "forward-finish":
      proxy.finish(e.a);
      return undefined;
    case "client-gone":
      return proxy.clientGone(e.a);
    case "proxy-reads":
      return proxy.read(e.a);
    case "tick":
      return proxy.tick();
    case "server":
      serverStep(c, w, e.a, Failure.none);
      return undefined;
    case "server-fails":
      if (conn(w, e.a).toServer[0]?.kind === MessageKind.register) w.refusals++;
      serverStep(c, w, e.a, e.b);
      return undefined;
    case "server-skips":
      w.skips++;
      finish(c, w, e.a, takeRequest(conn(w, e.a)), Failure.none, e.b);
      return undefined;
    case "register-reply":
      registerReply(w, e.a);
      return undefined;
    case "grant":
      grant(c, w, e.a, Failure.none);
      return undefined;
    case "grant-fails":
      grant(c, w, e.a, e.b);
      return undefined;
    case "later":
      laterStep(c, w);
      return undefined;
    case "deliver":
      return deliver(c, w, e.a, (m) => proxy.forward(e.a, m));
    case "close-client":
      closeClient(w, conn(w, e.a));
      return undefined;
    case "cut":
      cut(c, w, e.a);
      return undefined;
    case "hang-up": {
      w.hangups++;
      const s = conn(w, e.a);
      s.toServer = [];
      hangUp(c, w, e.a);
      s.toProxy = [...s.toProxy, message(MessageKind.broken)];
      return undefined;
    }
  }
}

function connect(w: World, i: number, proxy: Proxy): void {
  const slot = freeSlot(w);
  const k = client(w, i);
  if (!k.ended) k.connects++;
  w.conns[slot] = newConn(w.nextSession++, i);
  Object.assign(k, {
    phase: ClientPhase.registering,
    slot,
    ended: false,
    shown: 0,
    announced: 0,
    since: k.last,
    queue: [],
    transaction: TransactionPhase.none,
    reads: 0,
  });
  proxy.forward(slot, message(MessageKind.register));
}

/** The connection breaks while a `tpc_finish` is on its way. */
function cut(c: Config, w: World, slot: number): void {
  w.cuts++;
  const s = conn(w, slot);
  s.cut = true;
  if (c.lateCuts) {
    s.toServer = [...s.toServer, message(MessageKind.end)];
  } else {
    s.toServer = [];
    s.gone = true;
    s.registered = 0;
    release(c, w, slot);
  }
}

function closeClient(w: World, s: Conn): void {
  client(w, s.client).ended = true;
  disconnect(w, s.client);
  s.dead = true;
}

/**
 * Does at once what commutes with everything else: what is written to a client arrives, a client's `tpc_finish` and
 * its end are read. One delay matters: an old client that may be about to send `tpc_finish` has not yet read the
 * invalidation that follows its vote's reply.
 */
function settleDown(c: Config, w: World, proxy: Proxy, note?: (text: string) => void): Violation | undefined {
  for (let again = true; again;) {
    again = false;
    for (let slot = 0; slot < w.conns.length; slot++) {
      const s = w.conns[slot];
      if (s === undefined) continue;
      if (s.foreign) {
        outside(w, s);
        continue;
      }
      const [next] = s.toClient;
      let v: Violation | undefined;
      if (next !== undefined && !delayed(c, w, s, next)) {
        note?.(`      client of session ${s.number} receives ${describeKind(next)}`);
        v = deliver(c, w, slot, (m) => proxy.forward(slot, m));
      } else if (next === undefined && s.closing && s.alive) {
        note?.(`      the proxy closes the client's connection of session ${s.number}`);
        closeClient(w, s);
      } else if (s.finishSent && !s.closed) {
        note?.(`      the proxy forwards tpc_finish of session ${s.number}`);
        proxy.finish(slot);
      } else if (!s.alive && !s.dead) {
        note?.(`      the proxy sees the end of session ${s.number}`);
        v = proxy.clientGone(slot);
      } else continue;
      if (v !== undefined) return v;
      again = true;
    }
  }
  return undefined;
}

/** The client on the server's own port takes everything at once. */
function outside(w: World, s: Conn): void {
  for (const m of s.toProxy) {
    const k = client(w, s.client);
    if (m.kind === MessageKind.finishReply) k.transaction = TransactionPhase.none;
    if (m.kind !== MessageKind.voteReply) continue;
    const failed = m.a === Vote.refused ? TransactionPhase.failed : TransactionPhase.none;
    k.transaction = m.a === Vote.granted ? TransactionPhase.voted : failed;
  }
  s.toProxy = [];
}

function delayed(c: Config, w: World, s: Conn, next: Message): boolean {
  return (
    s.alive &&
    !s.closing &&
    next.kind === MessageKind.invalidation &&
    hasOldClients(c) &&
    client(w, s.client).transaction === TransactionPhase.voted
  );
}

function describeKind(m: Message): string {
  const names = Object.entries(MessageKind);
  return `${names.find(([, n]) => n === m.kind)?.[0] ?? "?"} T${m.a}${m.madeUp ? " (made up)" : ""}`;
}

/** What the ledger counts must fit. */
function bookkeeping(w: World): Violation | undefined {
  for (const settled of w.ledger.history) {
    if (settled.owed?.size === 0) return `3 nobody is owed T${settled.tid}, and the ledger does not see it`;
    for (const session of settled.owed ?? []) {
      if (!w.ledger.accounts.has(session)) return `3 session ${session} is gone and still owed T${settled.tid}`;
    }
  }
  return undefined;
}

/** Checks a state in which nothing happens without a client's decision. */
export function rest(c: Config, w: World): Violation | undefined {
  for (const s of w.conns) {
    if (s === undefined || s.foreign) continue;
    const session = w.ledger.accounts.get(s.number);
    if (session !== undefined && !s.dead && session.outbox.length > 0) {
      return `4 stuck: a message is held for client ${clientName(s.client)} and nothing can release it`;
    }
    if (session !== undefined && session.heldBytes !== 0) return "3 an empty outbox with bytes in it";
  }
  for (let i = 0; i < c.clients; i++) {
    const v = clientAtRest(w, i);
    if (v !== undefined) return v;
  }
  for (const settled of w.ledger.history) {
    if (settled.owed !== undefined) return `3 at rest ${settled.owed.size} are still to be told of T${settled.tid}`;
  }
  return undefined;
}

function clientAtRest(w: World, i: number): Violation | undefined {
  const k = client(w, i);
  const name = clientName(i);
  if (k.ended) return `4 client ${name} was ended and can't connect again`;
  if (k.phase === ClientPhase.down || conn(w, k.slot).foreign) return undefined;
  if (k.phase !== ClientPhase.ready) return `4 client ${name} waits for ever (connecting)`;
  if (k.reads > 0 || k.transaction === TransactionPhase.finishing) return `4 client ${name} waits for ever for a reply`;
  if (k.transaction === TransactionPhase.voting && !othersVote(w))
    return `4 client ${name} waits for ever for its vote`;
  if (missing(w, k.last, w.last)) return `1 at rest client ${name} is at T${k.last}, the server at T${w.last}`;
  return undefined;
}

/** Does a client that is alive have the lock? Then it is up to it. */
function othersVote(w: World): boolean {
  const s = w.conns[w.lock];
  if (s === undefined || !s.alive) return false;
  const k = client(w, s.client);
  const decides = k.transaction === TransactionPhase.voted || k.transaction === TransactionPhase.failed;
  return w.conns[k.slot] === s && decides;
}

export function clientName(i: number): string {
  return String.fromCharCode(65 + i);
}
