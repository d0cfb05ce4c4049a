import { StorageLedger } from "../../src/ledger/ledger.ts";
import type { Found, Range } from "../../src/ledger/sight.ts";
import type { InvalidationArgs } from "../../src/wire/codec.ts";
import { fullParts, isNew, type Config } from "./config.ts";
import { message, MessageKind, oidsOf, tid, type Message } from "./message.ts";
import type { World } from "./world.ts";

/** The witness: its connection to the server, and what it does there. Replaced, never changed: worlds share it. */
export interface Watch {
  readonly isUp: boolean;
  readonly toServer: readonly Message[];
  readonly toProxy: readonly Message[];
  /** New: as `Conn.early`. */
  readonly early: number;
  /** So often its connection has broken, and so often somebody has waited too long. */
  readonly downs: number;
  readonly holds: number;
  readonly offs: number;
}

/** Its place in the mask of those whom the server's loop tells: no client has it. */
export const WITNESS_SLOT = 6;

export const UNBORN: Watch = { isUp: false, toServer: [], toProxy: [], early: 0, downs: 0, holds: 0, offs: 0 };

/** Everything is known of an empty database. */
export function startWatch(c: Config, ledger: StorageLedger<Message>): Watch {
  if (!c.witness) return UNBORN;
  ledger.sightExpected();
  ledger.sightUp(tid(0));
  ledger.lookBegins();
  ledger.lookNames(tid(0));
  return { ...UNBORN, isUp: true };
}

/** The server has started again, and what it had written before is still to be read. */
export function isBroken({ toProxy }: Watch): boolean {
  return toProxy.at(-1)?.kind === MessageKind.broken;
}

/** Its connection ends with the server. */
export function breakOff(w: World): void {
  if (!w.watch.isUp || isBroken(w.watch)) return;
  w.watch = { ...w.watch, toServer: [], toProxy: [...w.watch.toProxy, message(MessageKind.broken)], early: 0 };
}

/** Has it something to ask? Of the intervals at which it asks old servers, the explorer sees those that find something. */
export function asks(c: Config, w: World): boolean {
  if (!w.watch.isUp || isBroken(w.watch)) return false;
  const ledger = new StorageLedger(w.ledger);
  if (ledger.wantsLook || ledger.wantsLookAgain) return true;
  const { readUpTo, look, life } = w.ledger.sight;
  return !isNew(c) && life === "up" && look === undefined && readUpTo !== undefined && readUpTo < tid(w.last);
}

export function ask(w: World, ledger: StorageLedger<Message>): void {
  if (!ledger.wantsLook) ledger.look();
  ledger.lookBegins();
  w.watch = { ...w.watch, toServer: [...w.watch.toServer, message(MessageKind.read)] };
}

/** The server answers it. */
export function answer(w: World): void {
  const { toServer, toProxy, early } = w.watch;
  w.watch = {
    ...w.watch,
    toServer: toServer.slice(1),
    toProxy: [...toProxy, message(MessageKind.readReply, { a: w.last })],
    early: Math.max(0, early - 1),
  };
}

/** It reads what the server has written; what stands in a range is there already, and stays. */
export function read(c: Config, w: World, ledger: StorageLedger<Message>, now: number): void {
  const [m] = w.watch.toProxy as [Message];
  w.watch = { ...w.watch, toProxy: w.watch.toProxy.slice(1) };
  switch (m.kind) {
    case MessageKind.registerReply:
      ledger.sightUp(tid(m.a));
      return;
    case MessageKind.invalidation:
      ledger.sightTold(m.args as InvalidationArgs);
      return;
    case MessageKind.broken:
      w.watch = { ...w.watch, isUp: false };
      ledger.sightAway();
      return;
    default: {
      const range = ledger.lookNames(tid(m.a));
      if (range !== undefined && !isBroken(w.watch) && !c.slowLooks) ledger.lookFinds(found(w, ledger, range), now);
    }
  }
}

function found(w: World, ledger: StorageLedger<Message>, { above, upTo }: Range): Found[] {
  return w.order
    .filter((t) => tid(t) > above && tid(t) <= upTo && !ledger.isSettled(tid(t)))
    .map((t) => ({ tid: tid(t), oids: oidsOf(w.transactions[t] ?? 0, fullParts(w.kinds[t] ?? 0)) }));
}

/** What a look is to find is read; or what a client asks for is read back: begun, or done. */
export function readBack(w: World, ledger: StorageLedger<Message>, now: number): void {
  const { reading, look } = w.ledger.sight;
  const range = ledger.wantedPast;
  if (look?.last !== undefined && look.found === undefined) {
    // Where it had begun is not noted: what is known by now is found once more, too.
    ledger.lookFinds(found(w, ledger, { above: tid(0), upTo: look.last }), now);
  } else if (reading !== undefined) ledger.pastFound(found(w, ledger, reading));
  else if (range !== undefined) ledger.pastBegins(range);
}

export function readsBack(w: World): boolean {
  if (!w.watch.isUp || isBroken(w.watch)) return false;
  const { reading, look } = w.ledger.sight;
  const isReading = reading !== undefined || (look?.last !== undefined && look.found === undefined);
  return isReading || new StorageLedger(w.ledger).wantedPast !== undefined;
}

/** Its connection breaks. */
export function goDown(w: World, ledger: StorageLedger<Message>): void {
  const { downs, holds, offs } = w.watch;
  w.watch = { ...UNBORN, downs: downs + 1, holds, offs };
  ledger.sightAway();
}

/** It is given up, until it comes again. */
export function giveUp(w: World, ledger: StorageLedger<Message>): void {
  const { downs, holds, offs } = w.watch;
  w.watch = { ...UNBORN, downs, holds, offs: offs + 1 };
  ledger.sightOff();
}

/** It is registered again: from now on the server tells it of commits. */
export function comeUp(w: World): void {
  w.watch = { ...w.watch, isUp: true, toProxy: [message(MessageKind.registerReply, { a: w.last })] };
}
