import { client, disconnect, type Violation } from "./client.ts";
import { cloneWorld } from "./clone.ts";
import type { Config } from "./config.ts";
import { closeClient, receive, settleDown } from "./eager.ts";
import { copyTarget, freeSlot, type Event, type EventType } from "./events.ts";
import { LAST_TRANSACTION, LOAD, message, MessageKind } from "./message.ts";
import { Proxy } from "./proxy.ts";
import { bookkeeping } from "./rest.ts";
import {
  closeConnection,
  conn,
  Failure,
  finish,
  grant,
  laterStep,
  lateStep,
  registerReply,
  release,
  restore,
  serverStep,
  takeRequest,
} from "./server.ts";
import { answer, comeUp } from "./watch.ts";
import { ClientPhase, newConn, NOBODY, TransactionPhase, type World } from "./world.ts";

const SERVER_ALONE: ReadonlySet<EventType> = new Set([
  "server",
  "server-fails",
  "server-skips",
  "server-delays",
  "late",
  "register-reply",
  "grant",
  "grant-fails",
  "later",
  "witness-answered",
  "witness-up",
]);

/** The world after one event; the one before stays as it is. */
export function after(c: Config, w: World, e: Event): { next: World; violation: Violation | undefined } {
  const next = cloneWorld(w, !(c.eager && SERVER_ALONE.has(e.type)));
  return { next, violation: step(c, next, e) };
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
    case "copy": {
      const k = client(w, e.a);
      const explicit = copyTarget(c, w);
      w.rare = { ...w.rare, copied: w.rare.copied | (1 << explicit) };
      k.number = ++w.begun;
      k.transaction = TransactionPhase.voting;
      k.kind = e.b;
      proxy.vote(k.slot, e.b, k.number, false, explicit);
      return undefined;
    }
    case "vote-again":
      w.rare = { ...w.rare, votesAgain: w.rare.votesAgain + 1 };
      proxy.forward(client(w, e.a).slot, message(MessageKind.voteAgain));
      return undefined;
    case "half-close":
      w.rare = { ...w.rare, halfCloses: w.rare.halfCloses + 1 };
      conn(w, client(w, e.a).slot).halfClosed = true;
      return undefined;
    case "stall":
      w.rare = { ...w.rare, stalls: w.rare.stalls + 1 };
      client(w, e.a).stalled = true;
      return undefined;
    case "read-on":
      client(w, e.a).stalled = false;
      return undefined;
    case "pass-end":
      proxy.passEnd(e.a);
      return undefined;
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
    case "trim":
      return proxy.trim(e.a);
    case "tick":
      return proxy.tick();
    case "server":
      serverStep(c, w, e.a, Failure.none);
      return undefined;
    case "server-fails":
      if (conn(w, e.a).toServer[0]?.kind === MessageKind.register) w.refusals++;
      if (e.b === Failure.thrown || e.b === Failure.thrownUntold) w.rare = { ...w.rare, throws: w.rare.throws + 1 };
      serverStep(c, w, e.a, e.b);
      return undefined;
    case "server-skips":
      w.skips++;
      finish(c, w, e.a, takeRequest(conn(w, e.a)), Failure.none, { skipped: e.b, delayed: NOBODY });
      return undefined;
    case "server-delays":
      w.rare = { ...w.rare, delays: w.rare.delays + 1 };
      finish(c, w, e.a, takeRequest(conn(w, e.a)), Failure.none, { skipped: NOBODY, delayed: e.b });
      return undefined;
    case "late":
      lateStep(w, e.a);
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
      return receive(c, w, e.a, proxy);
    case "close-client":
      closeClient(w, conn(w, e.a));
      return undefined;
    case "cut":
      cut(c, w, e.a);
      return undefined;
    case "hang-up":
      w.hangups++;
      closeConnection(c, w, e.a);
      return undefined;
    case "restore":
      w.rare = { ...w.rare, restores: w.rare.restores + 1 };
      restore(c, w);
      return undefined;
    case "witness-answered":
      answer(w);
      return undefined;
    case "witness-up":
      comeUp(w);
      return undefined;
    case "witness-asks":
    case "witness-reads":
    case "witness-reads-back":
    case "witness-down":
    case "witness-off":
    case "hold-over":
      return proxy.witness(e.type);
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
  if (c.limboEnds) w.rare = { ...w.rare, limbos: w.rare.limbos | (1 << client(w, s.client).number) };
  if (c.lateCuts) {
    s.toServer = [...s.toServer, message(MessageKind.end)];
  } else {
    s.toServer = [];
    s.gone = true;
    s.registered = 0;
    release(c, w, slot);
  }
}
